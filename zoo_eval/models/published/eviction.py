"""Removes downloaded weights, and nothing beside them.

The hub's client can remove whole revisions (`scan_cache_dir`, `delete_revisions`). That would read
the whole cache each time, and would take files that somebody else downloaded into the same
revision; its documented layout makes it easy to remove one file.
"""

import contextlib
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from zoo_eval.models.published.book import Book, Entry
from zoo_eval.models.published.ledger import Ledger
from zoo_eval.models.published.sources import snapshots_of


def settle(book: Book, ledger: Ledger) -> None:
    """Bring the list up to date: forget what is gone, and clean up after processes that died."""
    ledger.drop_dead_pins(book)
    for entry in book.entries():
        if not entry.complete and not book.pinners(entry.path):
            drop_partial(entry)
            # If it is there, it is ours: it was not there when its download was noted.
            book.complete(entry.path, entry.bytes)
    for entry in book.entries():
        if entry.complete and not entry.path.exists():
            book.forget(entry.path)


def make_room(book: Book, n_bytes: int) -> bool:
    """Evict the least recently used that nobody uses; nothing if all of that is too little.

    Args:
        book: An up-to-date list.
        n_bytes: How much is to go, at least.

    Returns:
        Whether so much went.
    """
    idle = book.idle()
    if sum(idle.values()) < n_bytes:
        return False
    for path, size in idle.items():
        if n_bytes <= 0:
            break
        remove_file(path)
        book.forget(path)
        n_bytes -= size
    return True


def drop_partial(entry: Entry) -> None:
    """Remove the beginnings of a download, unless another program is at the same file now."""
    try:
        with FileLock(entry.lock, timeout=0) if entry.lock else contextlib.nullcontext():
            for path in entry.partial.parent.glob(entry.partial.name):
                path.unlink(missing_ok=True)
    except (Timeout, FileNotFoundError):  # or there is not even a folder for the lock
        pass


def remove_file(path: Path) -> None:
    """Remove a file from the hub's cache, or from torch's."""
    contents, snapshots = path.resolve(), snapshots_of(path)
    path.unlink(missing_ok=True)
    if snapshots is None:
        return
    blobs = snapshots.parent / "blobs"
    # Other revisions may point at the same contents.
    if contents.parent == blobs.resolve() and not any(
        other.resolve() == contents for other in snapshots.rglob("*")
    ):
        contents.unlink(missing_ok=True)
    for folder in path.relative_to(snapshots).parents:
        with contextlib.suppress(OSError):  # not empty
            (snapshots / folder).rmdir()
    if not any(file.is_file() for part in (blobs, snapshots) for file in part.rglob("*")):
        # What is left says what main was, and which names do not exist.
        shutil.rmtree(snapshots.parent, ignore_errors=True)
