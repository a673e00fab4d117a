"""Folders to write in that show whether their writer lives, so that what the dead leave can go.

A process that is killed leaves what it was writing. The number of the process would not tell:
numbers are used again, and containers that share a disk do not see each other's. A lock, which
the kernel takes from a process when it ends, does.
"""

import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "unfinished-"


@contextmanager
def workspace(parent: Path) -> Generator[Path]:
    """A new folder to write in, gone at the end: what is finished is moved out of it first."""
    folder, lock = _locked_folder(parent)
    try:
        yield folder
    finally:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def abandoned(parent: Path) -> Iterator[Path]:
    """What writers that live no more left; locked while it is looked at, so that it may go."""
    for left in sorted(parent.glob(f"{PREFIX}*")):
        if left.is_file():  # as zoo_eval 0.1.0 left it
            yield left
            continue
        try:
            with FileLock(left / "lock", timeout=0):
                yield left
        except (Timeout, OSError):  # in use, or gone in the meantime
            continue


def sweep(parent: Path) -> None:
    """Remove what writers that live no more left."""
    for left in abandoned(parent):
        if left.is_file():
            left.unlink(missing_ok=True)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _locked_folder(parent: Path) -> tuple[Path, FileLock]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        lock = FileLock(folder / "lock", timeout=0)
        try:
            lock.acquire()
        except (Timeout, FileNotFoundError):  # swept before it was locked
            continue
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return folder, lock
