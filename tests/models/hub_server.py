"""A model hub on loopback: speaks the hub's protocol, serves real files, fails when it is told to.

As the real one does, it answers for a large file with a redirect to a host of its own for contents
(here: `localhost` in place of `127.0.0.1`), and names commit, size and digest in the headers.
"""

import contextlib
import hashlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from safetensors.torch import save

from tests.models.hub_client import hub_line
from zoo_eval.models.build import build_model

Fault = Callable[["_Handler", bytes], None]


def weights(architecture: str, seed: int = 0) -> bytes:
    """Really initialised weights, as a safetensors file."""
    model = build_model(hub_line(architecture), "init", seed)
    return save({name: value.contiguous() for name, value in model.state_dict().items()})


class HubServer:
    """Repositories, and what is asked of them.

    Attributes:
        requests: Method and path of each request so far.
        ranges: The ranges that were asked for.
        faults: By method, what happens to the next requests instead of an answer.
        pace: Seconds that each answer with contents takes at least.
        plain: Files by name that belong to no repository.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.ranges: list[str] = []
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.pace = 0.0
        self.repositories: dict[str, dict[str, dict[str, bytes]]] = {}
        self.contents: dict[str, bytes] = {}
        self.plain: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.hub = self  # pyright: ignore[reportAttributeAccessIssue]
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(self, repository: str, files: dict[str, bytes]) -> str:
        """A new commit, which becomes `main`."""
        commits = self.repositories.setdefault(repository, {})
        commit = hashlib.sha1(f"{repository} {len(commits)}".encode()).hexdigest()
        commits[commit] = files
        self.contents |= {hashlib.sha256(data).hexdigest(): data for data in files.values()}
        return commit

    def publish_model(self, architecture: str, seed: int = 0) -> bytes:
        """The weights of one of timm's tiny networks, under the name that timm looks for."""
        data = weights(architecture, seed)
        self.publish(f"timm/{architecture}.r160_in1k", {"model.safetensors": data})
        return data

    @property
    def methods(self) -> list[str]:
        """Of the requests for weights; once a day the hub's client asks another thing too."""
        return [method for method, path in self.requests if not path.startswith("/api/")]


class _Handler(BaseHTTPRequestHandler):
    """`/owner/name/resolve/revision/file`, `/contents/sha256`, and `/plain/name` beside the hub."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._handle()

    def do_GET(self) -> None:
        self._handle()

    def log_message(self, *_: object) -> None:
        pass

    def _handle(self) -> None:
        hub: HubServer = self.server.hub  # pyright: ignore[reportAttributeAccessIssue]
        hub.requests.append((self.command, self.path))
        owner, *rest = self.path.strip("/").split("/", 4)
        places = {"contents": hub.contents, "plain": hub.plain}
        data = places[owner].get(rest[0]) if owner in places else None
        faults = hub.faults[self.command]
        if owner == "api":
            self.answer(404)
        elif faults:
            with contextlib.suppress(ConnectionError):
                faults.popleft()(self, data or b"")
        elif data is not None:
            time.sleep(hub.pace)
            self._contents(hub, data)
        elif len(rest) == 4 and rest[1] == "resolve":
            self._resolve(hub, f"{owner}/{rest[0]}", rest[2], rest[3])
        else:
            self.answer(404)

    def _resolve(self, hub: HubServer, repository: str, revision: str, name: str) -> None:
        commits = hub.repositories.get(repository)
        if not commits:
            self.answer(404, {"X-Error-Code": "RepoNotFound"})
            return
        commit = list(commits)[-1] if revision == "main" else revision
        if commit not in commits:
            self.answer(404, {"X-Error-Code": "RevisionNotFound"})
            return
        headers = {"X-Repo-Commit": commit}
        data = commits[commit].get(name)
        if data is None:
            self.answer(404, {**headers, "X-Error-Code": "EntryNotFound"})
            return
        digest = hashlib.sha256(data).hexdigest()
        headers["X-Linked-Etag"] = f'"{digest}"'
        headers["X-Linked-Size"] = str(len(data))
        headers["Location"] = f"http://localhost:{hub.port}/contents/{digest}"
        self.answer(302, headers)

    def _contents(self, hub: HubServer, data: bytes) -> None:
        start = 0
        if wanted := self.headers.get("Range"):
            hub.ranges.append(wanted)
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
        headers = {"ETag": '"x"', "Content-Length": str(len(data) - start)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self.answer(206 if start else 200, headers, data[start:])

    def answer(self, code: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(code)
        for key, value in {"Content-Length": "0", **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)


# What can go wrong.


def status(code: int, **headers: str) -> Fault:
    """An answer without contents; headers with `_` for `-`."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return lambda handler, _: handler.answer(code, named)


def cut(n_bytes: int) -> Fault:
    """The connection breaks after so many bytes of the announced ones."""

    def act(handler: _Handler, data: bytes) -> None:
        handler.answer(200, {"Content-Length": str(len(data))}, data[:n_bytes])
        handler.close_connection = True

    return act


def drip(n_bytes: int = 10, seconds: float = 0.1) -> Fault:
    """A few bytes at a time, until the other side has had enough."""

    def act(handler: _Handler, data: bytes) -> None:
        handler.answer(200, {"Content-Length": str(len(data))})
        for place in range(0, len(data), n_bytes):
            handler.wfile.write(data[place : place + n_bytes])
            time.sleep(seconds)

    return act


def wrong_length(missing: int) -> Fault:
    """A whole answer, but shorter than the hub had announced."""
    return lambda handler, data: handler.answer(
        200, {"Content-Length": str(len(data) - missing)}, data[:-missing]
    )


def damaged(handler: _Handler, data: bytes) -> None:
    """The right length with one wrong bit."""
    handler.answer(200, {"Content-Length": str(len(data))}, data[:-1] + bytes([data[-1] ^ 1]))
