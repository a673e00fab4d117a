"""Style sheet and scripts of the pages, from the packages that have them."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from zoo_eval.report.pages.layout import plotly_script

router = APIRouter(prefix="/static", include_in_schema=False)
_KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_OURS = ("style.css", "tables.js", "figures.js", "runs.js", "pending.js")


@dataclass(frozen=True)
class Asset:
    """A file to be sent.

    Attributes:
        packed: Its content, packed: all browsers unpack it, and Plotly is 5 MB.
        tag: Names the content.
        kind: Its media type.
    """

    packed: bytes
    tag: str
    kind: str


@router.get("/{name}")
def asset(name: str, request: Request) -> Response:
    """One file; the same as long as the service runs."""
    if name not in (*_OURS, "plotly.min.js"):
        raise HTTPException(404, f"There is no file {name!r}.")
    found = _asset(name)
    headers = {"ETag": found.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == found.tag:
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(found.packed), 200, headers, found.kind)
    headers["Content-Encoding"] = "gzip"
    return Response(found.packed, 200, headers, found.kind)


@cache
def _asset(name: str) -> Asset:
    ours = files("zoo_eval.report") / "static" / name
    content = ours.read_bytes() if name in _OURS else plotly_script()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    return Asset(gzip.compress(content, 6, mtime=0), tag, _KINDS[name.rpartition(".")[2]])
