"""What zoo_eval downloaded, and which of it is in use: one SQLite file for all processes.

Only what stands here may be evicted. A process that uses a file pins it under a name of its own,
and holds a lock of that name as long as it lives: however it ends, the system drops the lock, and
with it the pins.
"""

import sqlite3
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from zoo_eval.cache import cache_folder
from zoo_eval.errors import WeightsError
from zoo_eval.models.published.book import SCHEMA, Book

PATIENCE_S = 60.0  # for another process that is changing the list


class Ledger:
    """Opens the list, and pins in the name of this process."""

    def __init__(self) -> None:
        self.folder = cache_folder("weights")
        self.path = self.folder / "ledger.sqlite"
        self._name = uuid.uuid4().hex
        self._life: FileLock | None = None
        self._starting = threading.Lock()

    @contextmanager
    def read(self) -> Generator[Book]:
        """The present contents. They may be outdated at once; `change` is for decisions.

        Raises:
            WeightsError: the file is damaged.
        """
        # A process that died before its first change leaves an empty file.
        there = self.path.exists() and self.path.stat().st_size > 0
        address = f"{self.path.absolute().as_uri()}?mode=ro" if there else ":memory:"
        try:
            with closing(sqlite3.connect(address, timeout=PATIENCE_S, uri=there)) as database:
                if not there:
                    database.executescript(SCHEMA)
                yield Book(database)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    @contextmanager
    def change(self) -> Generator[Book]:
        """The contents, for this process alone; kept at the end, whatever the end is.

        Raises:
            WeightsError: the file is damaged, or cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with closing(
                sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None)
            ) as database:
                database.execute("BEGIN IMMEDIATE")
                for statement in SCHEMA.split(";"):
                    database.execute(statement)
                try:
                    yield Book(database)
                finally:  # what was evicted is gone, also if something failed after it
                    database.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> WeightsError:
        return WeightsError(
            f"The list of downloaded weights {self.path} cannot be used: {error}. If it is "
            "damaged, delete it: the weights stay, but are never evicted. ZOO_EVAL_CACHE names "
            "another folder."
        )

    def pin(self, path: Path, book: Book) -> None:
        """Mark a file as used by this process, now."""
        with self._starting:
            if self._life is None:
                self._life = FileLock(self._life_of(self._name), thread_local=False)
                self._life.acquire(timeout=0)
        book.pin(path, self._name, time.time())

    def unpin(self, path: Path, book: Book) -> None:
        """Take this process's mark away."""
        book.unpin(path, self._name)

    def drop_dead_pins(self, book: Book) -> None:
        """Forget the pins of processes that are no more."""
        for name in book.pinners() - {self._name}:
            if not self._lives(name):
                book.unpin_all(name)

    def close(self) -> None:
        """Drop every pin of this process."""
        with self._starting:
            if self._life is None:
                return
            with self.change() as book:
                book.unpin_all(self._name)
            self._life.release()
            self._life_of(self._name).unlink(missing_ok=True)
            self._life = None

    def _lives(self, name: str) -> bool:
        path = self._life_of(name)
        if not path.exists():
            return False
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        path.unlink(missing_ok=True)
        return False

    def _life_of(self, name: str) -> Path:
        return self.folder / f"{name}.alive"
