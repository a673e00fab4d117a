"""Finds published weights among what is on this machine, without asking anybody."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from zoo_eval.errors import WeightsError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.published.book import Book
from zoo_eval.models.published.ledger import Ledger
from zoo_eval.models.published.sources import Source, hub_folder, snapshots_of, source_of, url_file

LISTED = 20  # names in a message


def find(source: Source, sha256: str | None, book: Book) -> Path | None:
    """The file to load, if it is here.

    Args:
        source: Where the weights are published.
        sha256: Its digest, if the manifest states one.
        book: Says which state of the repository this machine computes with; a newer one that
            somebody else downloaded is not taken in its place.
    """
    if source.url:
        path = url_file(source.url)
        return path if path.is_file() and sha256 in (None, _digest(path)) else None
    from huggingface_hub import try_to_load_from_cache

    for name in source.names:
        for revision in _revisions(source, name, sha256, book):
            path = try_to_load_from_cache(
                source.repository, name, cache_dir=hub_folder(), revision=revision
            )
            if isinstance(path, str) and sha256 in (None, _digest(Path(path))):
                return Path(path)
    return None


def place_of(path: Path) -> tuple[str, str]:
    """Commit and name of a file in the hub's cache; both empty for one from a plain address."""
    snapshots = snapshots_of(path)
    if snapshots is None:
        return "", ""
    commit, *name = path.relative_to(snapshots).parts
    return commit, "/".join(name)


def _revisions(source: Source, name: str, sha256: str | None, book: Book) -> list[str]:
    """The states of a repository in which a file would do."""
    known = book.known(source.key(name))
    first = [known.commit] if known else []
    if sha256 is None:
        return first or ["main"]
    snapshots = source.folder() / "snapshots"
    others = [path.name for path in snapshots.iterdir()] if snapshots.is_dir() else []
    return [*first, *others]


def named_digest(path: Path) -> str:
    """The SHA-256 by which the hub's client calls the contents; empty if it has another name."""
    name = path.resolve().name
    return name if re.fullmatch("[0-9a-f]{64}", name) else ""


def _digest(path: Path) -> str:
    if named := named_digest(path):
        return named
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def locate(line: ModelLine) -> Path | None:
    """The file of a line's published weights on this machine; None if it is not here.

    Raises:
        WeightsError: timm knows no such weights, or the list of downloads is damaged.
    """
    with Ledger().read() as book:
        return find(source_of(line), line.weights_sha256, book)


def missing(lines: Iterable[ModelLine]) -> Iterator[ModelLine]:
    """The lines whose weights are published and not on this machine."""
    with Ledger().read() as book:
        for line in lines:
            if line.weights_file is None and not _is_here(line, book):
                yield line


def _is_here(line: ModelLine, book: Book) -> bool:
    try:
        return find(source_of(line), line.weights_sha256, book) is not None
    except WeightsError:  # timm knows none of that name
        return False


def require_offline(lines: Iterable[ModelLine]) -> None:
    """Prove that all published weights are on this machine; nobody is asked.

    Raises:
        WeightsError: names those that are not.
    """
    names = [line.model for line in missing(lines)]
    if names:
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        raise WeightsError(
            f"The weights of {len(names)} models are not on this machine: "
            f"{', '.join(names[:LISTED])}{more}. `zoo-eval fetch JOB` downloads them."
        )
