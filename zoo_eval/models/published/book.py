"""The tables of the ledger: files, who uses them, and which state of weights is computed with."""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, partial TEXT, lock TEXT, bytes INTEGER, used REAL, complete INTEGER);
CREATE TABLE IF NOT EXISTS pins (path TEXT, name TEXT, PRIMARY KEY (path, name));
CREATE TABLE IF NOT EXISTS known (key TEXT PRIMARY KEY, revision TEXT, sha256 TEXT);
"""


@dataclass(frozen=True)
class Entry:
    """A file that zoo_eval downloaded, or is downloading.

    Attributes:
        path: Where it is, or will be.
        partial: Path with `*` of its beginnings while it comes.
        lock: The lock of the hub's client for its download; None for a plain address.
        bytes: Its size.
        complete: Whether it is here.
    """

    path: Path
    partial: Path
    lock: Path | None
    bytes: int
    complete: bool = False

    def partial_bytes(self) -> int:
        """What has come of it so far, as long as it is not complete."""
        total = 0
        for path in self.partial.parent.glob(self.partial.name):
            with contextlib.suppress(FileNotFoundError):  # moved to its place, or dropped
                total += path.stat().st_size
        return total


@dataclass(frozen=True)
class Known:
    """Which state of published weights this machine computes with: the first that it used."""

    commit: str
    sha256: str


class Book:
    """The ledger, open.

    Args:
        database: A connection to it.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def entries(self, path: Path | None = None) -> list[Entry]:
        """All files, or the one at a path, if zoo_eval downloaded it."""
        rows = self._database.execute(
            "SELECT path, partial, lock, bytes, complete FROM files WHERE ?1 IS NULL OR path = ?1",
            (path and str(path),),
        )
        return [
            Entry(Path(path), Path(partial), Path(lock) if lock else None, size, bool(complete))
            for path, partial, lock, size, complete in rows
        ]

    def note(self, entry: Entry) -> None:
        """Add a file."""
        self._database.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, 0, ?)",
            (
                str(entry.path),
                str(entry.partial),
                str(entry.lock) if entry.lock else None,
                entry.bytes,
                entry.complete,
            ),
        )

    def complete(self, path: Path, size: int) -> None:
        """A download came to its end."""
        self._database.execute(
            "UPDATE files SET complete = 1, bytes = ? WHERE path = ?", (size, str(path))
        )

    def forget(self, path: Path) -> None:
        """Take a file and its pins off the list."""
        self._database.execute("DELETE FROM files WHERE path = ?", (str(path),))
        self._database.execute("DELETE FROM pins WHERE path = ?", (str(path),))

    @property
    def n_bytes(self) -> int:
        """Bytes of all files, those that are still coming included."""
        return self._database.execute("SELECT coalesce(sum(bytes), 0) FROM files").fetchone()[0]

    def idle(self) -> dict[Path, int]:
        """The size of each file that nobody uses, the least recently used first."""
        rows = self._database.execute(
            "SELECT path, bytes FROM files WHERE complete AND path NOT IN (SELECT path FROM pins) "
            "ORDER BY used"
        )
        return {Path(path): size for path, size in rows}

    def pin(self, path: Path, name: str, now: float) -> None:
        """Note that a process uses a file; nothing if zoo_eval did not download it."""
        self._database.execute("UPDATE files SET used = ? WHERE path = ?", (now, str(path)))
        self._database.execute(
            "INSERT OR IGNORE INTO pins SELECT path, ? FROM files WHERE path = ?", (name, str(path))
        )

    def unpin(self, path: Path, name: str) -> None:
        """Note that a process no longer uses a file."""
        self._database.execute("DELETE FROM pins WHERE path = ? AND name = ?", (str(path), name))

    def unpin_all(self, name: str) -> None:
        """Note that a process uses nothing any more."""
        self._database.execute("DELETE FROM pins WHERE name = ?", (name,))

    def pinners(self, path: Path | None = None) -> set[str]:
        """The processes that use a file, or any file."""
        rows = self._database.execute(
            "SELECT name FROM pins WHERE ?1 IS NULL OR path = ?1", (path and str(path),)
        )
        return {name for (name,) in rows}

    def known(self, key: str) -> Known | None:
        """The state that this machine computes with; stays when the file is evicted."""
        row = self._database.execute(
            "SELECT revision, sha256 FROM known WHERE key = ?", (key,)
        ).fetchone()
        return Known(*row) if row else None

    def keep_to(self, key: str, known: Known) -> None:
        """Note the state that this machine computes with."""
        self._database.execute(
            "INSERT OR REPLACE INTO known VALUES (?, ?, ?)", (key, known.commit, known.sha256)
        )
