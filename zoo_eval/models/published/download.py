"""A small program that downloads weights, in a process of its own that can be ended at any time.

It reads requests from stdin and writes answers to stdout, one JSON object a line. It is run by its
path (see `downloader`) and imports nothing of zoo_eval, so that it starts in a third of a second.

`look` finds out what there is to download: name, commit, digest and size. `get` downloads it into
the cache of the hub's client, or of torch, and checks size and digest. The hub's client resumes
broken connections where they broke. An answer with `error` says with `heals` whether another try
can help, and with `after` in how many seconds.
"""

import errno
import hashlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

# A file grows in steps of this size while it comes: small, so that a slow link is no dead one.
CHUNK_BYTES = 64 * 1024
URL_TIMEOUT_S = 10.0
IMPORT_S = 60.0  # of torch, on a busy machine
HEALING_STATUS = (408, 429, 500, 502, 503, 504)
LOCAL_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS)


class ChangedError(Exception):
    """What came is not what was announced."""


def look(request: dict[str, Any]) -> dict[str, Any]:
    """What there is to download: the first of the names that the repository has."""
    if request["url"]:
        with urlopen(Request(request["url"], method="HEAD"), timeout=URL_TIMEOUT_S) as answer:
            size = answer.headers["Content-Length"]
        return {"name": "", "commit": "", "etag": "", "size": int(size) if size else None}
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    *others, last = request["names"]
    for name in (*others, last):
        url = hf_hub_url(
            request["repository"], name, revision=request["revision"], endpoint=request["endpoint"]
        )
        try:
            found = get_hf_file_metadata(url, endpoint=request["endpoint"])
        except EntryNotFoundError:
            if name == last:
                raise
            continue
        return {"name": name, "commit": found.commit_hash, "etag": found.etag, "size": found.size}
    raise AssertionError("the last name returns or raises")


def get(request: dict[str, Any]) -> dict[str, Any]:
    """Download one file and check it."""
    path = _get_url(request) if request["url"] else _get_hub(request)
    size, wanted = path.stat().st_size, request["size"]
    if wanted is not None and size != wanted:
        _refuse(path, f"has {size} bytes where {wanted} were announced")
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    # The hub names large files by their SHA-256, and the few small ones by git's 40 digits.
    if len(request["etag"]) == 64 and digest != request["etag"]:
        _refuse(path, f"has the SHA-256 {digest[:12]}… where {request['etag'][:12]}… was announced")
    return {"path": str(path), "sha256": digest, "size": size}


def _get_hub(request: dict[str, Any]) -> Path:
    from huggingface_hub import hf_hub_download

    path = hf_hub_download(
        request["repository"],
        request["name"],
        revision=request["revision"],
        endpoint=request["endpoint"],
        cache_dir=request["cache"],
    )
    commit = Path(path).relative_to(Path(request["cache"])).parts[2]
    if commit != request["commit"]:
        raise ChangedError(f"the repository went on to commit {commit[:12]} while it was read")
    return Path(path)


def _get_url(request: dict[str, Any]) -> Path:
    import socket

    _say({"waits": IMPORT_S})
    import torch

    _say({"waits": 0})
    socket.setdefaulttimeout(URL_TIMEOUT_S)  # torch sets none
    path = Path(request["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = torch.hub.HASH_REGEX.search(path.name)
    torch.hub.download_url_to_file(
        request["url"], str(path), prefix and prefix.group(1), progress=False
    )
    return path


def _refuse(path: Path, why: str) -> None:
    """Throw a wrong file away: the pointer in a snapshot, and the contents that it points at."""
    contents = path.resolve()
    path.unlink()
    contents.unlink(missing_ok=True)
    raise ChangedError(f"the file {why}")


def heals(error: BaseException) -> bool:
    """Whether another try can help.

    Not where the answer was a plain no (404, 401 …), where asking is forbidden, or where this
    machine is at fault: disk full, folder read-only.
    """
    from huggingface_hub.errors import FileMetadataError, HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in HEALING_STATUS
    if isinstance(error, HTTPError):
        return error.code in HEALING_STATUS
    if isinstance(error, OfflineModeIsEnabled | FileMetadataError | ValueError | TypeError):
        return False
    return not (isinstance(error, OSError) and error.errno in LOCAL_FAULTS)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"look": look, "get": get}[request["do"]](request)
    except Exception as seen:  # whatever goes wrong is the answer
        # The hub's client hides the reason behind one that speaks of its own cache.
        error = seen.__cause__ if "LocalEntry" in type(seen).__name__ and seen.__cause__ else seen
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        text = " ".join(lines[:2]) or type(error).__name__
        return {"error": text, "heals": heals(error), "after": _retry_after(error)}


def _retry_after(error: BaseException) -> float:
    """Seconds that the server asks to wait."""
    headers: Any = getattr(getattr(error, "response", error), "headers", {})
    text = str(headers.get("Retry-After", ""))
    return float(text) if text.isdigit() else 0.0


def _say(message: dict[str, Any]) -> None:
    print(json.dumps(message), flush=True)


def _announce_waits() -> None:
    """Say each wait before it begins: what obeys a Retry-After is not stuck."""
    sleep: Callable[[float], None] = time.sleep

    def announced(seconds: float) -> None:
        _say({"waits": seconds})
        sleep(seconds)

    time.sleep = announced


def _read(requests: "queue.Queue[str]") -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)  # whoever asked is gone: end at once, in the middle of a download too


def main() -> None:
    """Answer requests until stdin ends."""
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    # Xet's own client writes no file that can be watched while it grows.
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=[requests], daemon=True).start()
    from huggingface_hub import constants, hf_hub_download

    del hf_hub_download  # imported now, so that it is not timed with the first download
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES
    _announce_waits()
    _say({"waits": 0})
    while True:
        _say(_answer(json.loads(requests.get())))


if __name__ == "__main__":
    main()
