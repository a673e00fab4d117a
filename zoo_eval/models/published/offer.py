"""Asks what a hub has to download, in the state that this machine computes with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo_eval.errors import DownloadError
from zoo_eval.models.published.book import Book, Entry, Known
from zoo_eval.models.published.downloader import Downloader
from zoo_eval.models.published.sources import Source, hub_folder, url_file


@dataclass(frozen=True)
class Offer:
    """A file as the server announces it.

    Attributes:
        key: What the ledger knows it by.
        size: In bytes; None if the server does not say.
        commit: Its state; empty for a plain address.
        sha256: What it must have; empty if nobody said.
        request: For the download program.
        entry: For the ledger.
    """

    key: str
    size: int | None
    commit: str
    sha256: str
    request: dict[str, Any]
    entry: Entry


def look(
    source: Source, sha256: str | None, state: tuple[str, Known | None], downloader: Downloader
) -> Offer:
    """One request, or two if the hub must be asked for several names.

    Args:
        source: Where the weights are published.
        sha256: Their digest, if the manifest states one.
        state: Name and state to ask for, see `state_of`.
        downloader: To ask with.

    Raises:
        DownloadError: there is no answer, or another file is there than is needed.
    """
    from huggingface_hub import constants

    name, known = state
    request: dict[str, Any] = {
        "do": "look",
        "url": source.url,
        "repository": source.repository,
        "names": [name] if name else list(source.names),
        "revision": known.commit if known and known.commit else "main",
        "endpoint": constants.ENDPOINT,
        "cache": str(hub_folder()),
    }
    try:
        found = downloader.ask(request)
    except DownloadError as error:
        raise _with_state(error, known) from error
    wanted = sha256 or (known.sha256 if known else "")
    etag = str(found["etag"])
    announced = etag if len(etag) == 64 else ""  # git's digest of a small file says nothing
    if wanted and announced and wanted != announced:
        raise DownloadError(
            f"they have the SHA-256 {announced[:12]}… there, but should have {wanted[:12]}…"
        )
    request |= {"do": "get", "name": found["name"], "commit": found["commit"], "etag": etag}
    path = _path(source, found["name"], found["commit"])
    return Offer(
        key=source.key(found["name"]),
        size=found["size"],
        commit=found["commit"],
        sha256=wanted or announced,
        request={**request, "path": str(path), "size": found["size"]},
        entry=_entry(source, path, etag, found["size"] or 0),
    )


def state_of(source: Source, book: Book) -> tuple[str, Known | None]:
    """The file that this machine computed with before, and its state; empty and None if none."""
    for name in source.names or ("",):
        known = book.known(source.key(name))
        if known:
            return name, known
    return "", None


def _with_state(error: DownloadError, known: Known | None) -> DownloadError:
    """Say which state was asked for, if the answer was a plain no."""
    if known is None or not known.commit or error.heals:
        return error
    return DownloadError(
        f"{error} This machine computed with their commit {known.commit[:12]} before and keeps to "
        "it; weights_sha256 in the manifest asks for another."
    )


def _path(source: Source, name: str, commit: str) -> Path:
    """Where the hub's client, or torch, will put the file."""
    return source.folder() / "snapshots" / commit / name if source.names else url_file(source.url)


def _entry(source: Source, path: Path, etag: str, size: int) -> Entry:
    if source.names:
        partial = source.folder() / "blobs" / f"{etag}.*.incomplete"
        lock = hub_folder() / ".locks" / source.folder().name / f"{etag}.lock"
    else:
        partial, lock = path.with_name(f"{path.name}.*.partial"), None
    return Entry(path=path, partial=partial, lock=lock, bytes=size)
