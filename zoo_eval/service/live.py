"""Follows the store: reads it anew in the background whenever its file has changed.

A reader shuts the writer of a DuckDB file out for as long as it reads. So no request reads the
file; a thread does, for all of them, and seldom enough that a run hardly notices. A large store is
read in another process, which sends what it found: what takes it a second takes 20 ms here.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import pandas as pd

from zoo_eval.errors import ZooEvalError
from zoo_eval.service.aside import Aside
from zoo_eval.service.snapshot import (
    Activity,
    Snapshot,
    no_values,
    read_activity,
    read_snapshot,
    state_of,
)
from zoo_eval.store import Store
from zoo_eval.store.lock import run_in_progress

T = TypeVar("T")
POLL_S = 1.0
# Of the time, while a run writes: a large store takes a second or more to read, in which the run
# cannot write.
MOST_SHARE = 0.05
LONGEST_PAUSE_S = 30.0  # even if reading took long, on a busy machine
WORTH_S = 0.1  # of reading: from here on it is worth another process


def pause_after(seconds: float) -> float:
    """Seconds until something that took so long may be done again."""
    return min(seconds / MOST_SHARE, LONGEST_PAUSE_S)


class Live:
    """The newest snapshot of a store.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.error = ""
        self.read_seconds = 0.0
        self.activity = Activity("", pd.DataFrame(), pd.DataFrame(), False)
        self.snapshot = Snapshot("", datetime.now(UTC), None, no_values())
        self._next_full = 0.0
        self._stop = threading.Event()
        self._aside = Aside()
        self._thread = threading.Thread(target=self._keep_up, name="snapshot", daemon=True)

    @property
    def tag(self) -> str:
        """An ETag of what follows from the snapshot alone."""
        return f'"{self.snapshot.state}"'

    def start(self) -> None:
        """Read the store, and go on doing so in the background."""
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Read no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._aside.stop()

    def refresh(self) -> None:
        """Read what has changed, unless it was read a moment ago."""
        state = state_of(self.store.path)
        try:
            running = run_in_progress(self.store)
            if state != self.activity.state:
                self.activity = self._read(read_activity, state, running)
            elif running != self.activity.running:
                self.activity = replace(self.activity, running=running)
            if state != self.snapshot.state and time.monotonic() >= self._next_full:
                start = time.monotonic()
                self.snapshot = self._read(read_snapshot, state)
                self.read_seconds = time.monotonic() - start
                self._next_full = time.monotonic() + pause_after(self.read_seconds)
            self.error = ""
        except ZooEvalError as error:
            self.error = str(error)

    def _read(self, read: Callable[..., T], *arguments: object) -> T:
        if self.read_seconds > WORTH_S:
            return self._aside.call(read, self.store, *arguments)
        return read(self.store, *arguments)

    def _keep_up(self) -> None:
        while not self._stop.wait(POLL_S):
            try:
                self.refresh()
            except Exception:  # the next try may fare better; without a thread nothing would
                logging.getLogger("uvicorn.error").exception("reading the store failed")
                self.error = "The store could not be read; the service's log says why."
