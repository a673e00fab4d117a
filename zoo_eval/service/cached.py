"""Answers are the same until the store changes: they are kept, and sent again as they are.

Only answers with an ETag are, which routes give to those that follow from the store alone.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zoo_eval.service.live import Live

_MOST = 512
_MOST_BYTES = 512 * 1024


@dataclass(frozen=True)
class _Kept:
    tag: str
    start: Message
    body: bytes
    route: Any  # that gave it: requests are counted by route


class Cached:
    """Keeps answers by address.

    Args:
        app: The application behind it.
        live: Says when an answer is out of date.
    """

    def __init__(self, app: ASGIApp, live: Live) -> None:
        self._app, self._live = app, live
        self._kept: OrderedDict[tuple[str, bytes], _Kept] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or have it answered."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        key = (scope["path"], scope["query_string"])
        kept = self._kept.get(key)
        if kept is None or kept.tag != self._live.tag:
            kept = await self._ask(scope, receive, send)
            if kept is None:  # nothing to keep, and sent already
                return
            if len(kept.body) <= _MOST_BYTES:
                self._kept[key] = kept
                while len(self._kept) > _MOST:
                    self._kept.popitem(last=False)
        scope["route"] = kept.route
        if Headers(scope=scope).get("if-none-match") == kept.tag:
            headers = {"ETag": kept.tag, "Cache-Control": "private, no-cache"}
            await Response(status_code=304, headers=headers)(scope, receive, send)
            return
        # Those further out add headers to the message: each time to a copy of what is kept.
        await send({**kept.start, "headers": list(kept.start["headers"])})
        await send({"type": "http.response.body", "body": kept.body})

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> _Kept | None:
        start: Message | None = None
        tag: str | None = None
        body = bytearray()

        async def gather(message: Message) -> None:
            nonlocal start, tag
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                tag = headers.get("etag")
                if tag is not None:
                    headers["Cache-Control"] = "private, no-cache"
                    start = message
                    return
            if tag is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, gather)
        if start is None or tag is None:
            return None
        return _Kept(tag, start, bytes(body), scope["route"])
