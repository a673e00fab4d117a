"""What every request must pass before a route sees it, and every response is sent with.

Written as plain ASGI: Starlette's `BaseHTTPMiddleware` would hold up streams of events.
"""

import ipaddress
import logging
import math
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zoo_eval.service.identity import COOKIE, in_session, knows
from zoo_eval.service.limits import RateLimit
from zoo_eval.service.options import ServiceOptions
from zoo_eval.service.problems import problem

_SAFE = {"GET", "HEAD", "OPTIONS"}
_WITHOUT_TOKEN = {"/login"}
_ASSETS = "/static/"
_IN_READ_ONLY = {"/login", "/logout"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # without one, a browser posts forms with no origin
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_LOOPBACK_FACTOR = 50
_BURST = 10


class Security:
    """Checks host, origin, rate, identity and mode; adds the security headers.

    Args:
        app: The application behind it.
        options: The service's options.
    """

    def __init__(self, app: ASGIApp, options: ServiceOptions) -> None:
        self._app, self._options = app, options
        self._hosts = {"localhost", *(host.lower() for host in options.hosts)}
        rate = options.requests_per_s
        self._rate = RateLimit(rate, _BURST * rate)
        rate *= _LOOPBACK_FACTOR
        self._rate_here = RateLimit(rate, _BURST * rate)
        self._logins = RateLimit(per_s=0.1, burst=10.0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or let it through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_safely(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            refusal = self._refusal(scope)
            read = _limited(receive, self._options.max_body_bytes)
            await (refusal or self._app)(scope, read, send_safely)
        except Exception:
            logging.getLogger("uvicorn.error").exception("%s failed", scope["path"])
            if started:  # too late for another answer; the connection is cut
                raise
            text = "The service failed. Its own log says how; the request can be repeated."
            await problem(500, text, scope["path"])(scope, receive, send_safely)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        return (
            self._too_often(scope)
            or self._wrong_host(scope, headers)
            or self._cross_site(scope, headers)
            or self._unknown(scope, headers)
            or self._too_long(scope, headers)
            or self._writes(scope)
        )

    def _too_often(self, scope: Scope) -> Response | None:
        client = scope["client"][0] if scope.get("client") else "unknown"
        wait = (self._rate_here if _is_loopback(client) else self._rate).wait_s(client)
        if not wait and scope["path"] == "/login" and scope["method"] == "POST":
            wait = self._logins.wait_s(client)
        if not wait:
            return None
        after = {"Retry-After": str(math.ceil(wait))}
        text = f"Too many requests of {client}: wait {wait:.1f} s, and ask less often."
        return problem(429, text, scope["path"], headers=after)

    def _wrong_host(self, scope: Scope, headers: Headers) -> Response | None:
        """A name that is not ours may be an attacker's that leads here (DNS rebinding)."""
        host = _hostname(headers.get("host", ""))
        if host is not None and (host in self._hosts or _is_address(host)):
            return None
        text = (
            f"This service is not {host!r}. Use its address, or start it with --host-name NAME for "
            "another name."
        )
        return problem(421, text, scope["path"])

    def _cross_site(self, scope: Scope, headers: Headers) -> Response | None:
        """Another site's page may not act through the user's browser."""
        if scope["method"] in _SAFE:
            return None
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        own = f"{scope['scheme']}://{headers.get('host', '')}"
        if site in (None, "same-origin", "none") and origin in (None, own):
            return None
        text = f"A page of another site ({origin or site}) may not change anything here."
        return problem(403, text, scope["path"])

    def _unknown(self, scope: Scope, headers: Headers) -> Response | None:
        token = self._options.token
        if token is None or scope["path"] in _WITHOUT_TOKEN:
            return None
        if scope["path"].startswith(_ASSETS):  # style of the login form; says nothing of the store
            return None
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and knows(token, given.strip()):
            return None
        cookies = cookie_parser(headers.get("cookie", ""))
        if in_session(token, cookies.get(COOKIE, "")):
            return None
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        text = "A token is needed: the header `Authorization: Bearer TOKEN`, or log in at /login."
        challenge = {"WWW-Authenticate": 'Bearer realm="zoo_eval"'}
        return problem(401, text, scope["path"], headers=challenge)

    def _too_long(self, scope: Scope, headers: Headers) -> Response | None:
        """A body that does not state its length is cut off while it is read, see `_limited`."""
        most, length = self._options.max_body_bytes, headers.get("content-length", "")
        if not length.isdecimal() or int(length) <= most:
            return None
        text = f"The body has {int(length):,} bytes; at most {most:,} are read."
        return problem(413, text, scope["path"])

    def _writes(self, scope: Scope) -> Response | None:
        if not self._options.read_only or scope["method"] in _SAFE:
            return None
        if scope["path"] in _IN_READ_ONLY:
            return None
        text = "This service is read-only; it was started with --read-only."
        return problem(403, text, scope["path"])


def _limited(receive: Receive, most: int) -> Receive:
    """The same body, until it has become too long."""
    length = 0

    async def counted() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > most:
            raise HTTPException(413, f"The body is too long; at most {most:,} bytes are read.")
        return message

    return counted


def _hostname(header: str) -> str | None:
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(client: str) -> bool:
    return _is_address(client) and ipaddress.ip_address(client).is_loopback
