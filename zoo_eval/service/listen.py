"""Listens at an address until it is told to end."""

import ipaddress
import socket
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from zoo_eval.errors import ServiceError
from zoo_eval.service.app import create_app
from zoo_eval.service.options import ServiceOptions
from zoo_eval.store import Store

_SHORTEST_TOKEN = 16
_BACKLOG = 512


def read_token(file: Path | None, variable: str | None) -> str | None:
    """The token from a file, else from the environment; None: there is none.

    Raises:
        ServiceError: it cannot be read, or is too short to be safe.
    """
    token = variable
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceError(f"The token cannot be read from {file}: {error}") from error
    if token is None or (token == "" and file is None):
        return None
    if len(token) < _SHORTEST_TOKEN:
        raise ServiceError(
            f"The token has {len(token)} characters; at least {_SHORTEST_TOKEN} are needed. "
            "`openssl rand -hex 16` makes one."
        )
    return token


def listen(options: ServiceOptions, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        ServiceError: the address cannot be used, or is open to others without a token.
        StoreError: the store exists, but cannot be read; or another service carries out its jobs.
    """
    listener = _bound(host, port, has_token=options.token is not None)
    with listener:
        if options.store.exists():
            Store(options.store).runs()
        app = create_app(options)
        if not options.read_only:
            app.state.jobs.claim()
        address = f"[{host}]" if ":" in host else host
        print(f"zoo_eval serves {options.store} at http://{address}:{listener.getsockname()[1]}/")
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # anybody could write them
            timeout_graceful_shutdown=5,
            backlog=_BACKLOG,
        )
        _Server(config, app).run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends streams of events before it waits for all requests to end."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End in order."""
        self._app.state.closing.set()
        await super().shutdown(sockets)


def _bound(host: str, port: int, *, has_token: bool) -> socket.socket:
    """A listening socket.

    Raises:
        ServiceError: the address is not to be had; or not loopback, without a token.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
    except OSError as error:
        raise ServiceError(f"There is no address {host!r}: {error}") from error
    if not has_token and not ipaddress.ip_address(address[0]).is_loopback:
        raise ServiceError(
            f"{host} can be reached from other machines, so a token is needed: --token-file FILE, "
            "or the variable ZOO_EVAL_TOKEN."
        )
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"Port {port} of {host} cannot be used: {error.strerror}. Name another with --port."
        ) from error
    return listener
