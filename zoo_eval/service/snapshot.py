"""What the store says, in memory: read anew in the background whenever its file has changed.

A reader shuts the writer of a DuckDB file out for as long as it reads. So no request reads the
file; a thread does, for all of them, and seldom enough that a run hardly notices.
"""

import hashlib
import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pandas as pd

from zoo_eval.errors import ReportError, ZooEvalError
from zoo_eval.report import ReportData, collect
from zoo_eval.report.board import board_of
from zoo_eval.report.frames import Frame
from zoo_eval.service.standings import Standings
from zoo_eval.store import Store
from zoo_eval.store.lock import run_in_progress

POLL_S = 1.0
# Of the time, while a run writes: a large store takes a second or more to read, in which all
# requests are answered more slowly.
MOST_SHARE = 0.05
NETWORK = ["model", "weights", "seed"]
_VALUES = {
    **dict.fromkeys(("model", "weights"), "str"),
    "seed": "int32",
    **dict.fromkeys(("dataset", "score", "options"), "str"),
    "version": "int32",
    **dict.fromkeys(("value", "low", "high"), "float64"),
    "undefined_because": "str",
    "seconds": "float64",
    **dict.fromkeys(("precision", "fingerprint", "run"), "str"),
    "stored": "datetime64[us]",
}


@dataclass(frozen=True)
class Activity:
    """What changes with every network: cheap to read.

    Attributes:
        state: Names the file's content; another content has another name.
        runs: Runs, oldest first.
        attempts: Every try at a network, oldest first.
        running: Whether a run holds the store.
    """

    state: str
    runs: Frame
    attempts: Frame
    running: bool

    @cached_property
    def last_attempts(self) -> dict[str, Frame]:
        """By run, its last attempt at each network, oldest first."""
        if self.attempts.empty:
            return {}
        last = self.attempts.drop_duplicates(["run", *NETWORK], keep="last")
        return {str(run): rows for run, rows in last.groupby("run")}


@dataclass(frozen=True)
class Snapshot:
    """What scores and models are known; nothing in it is ever changed.

    Attributes:
        state: Names the file's content.
        read: When it was read, UTC.
        data: What a report is made of; None as long as the store has no scores.
        values: Newest value of every score setting, tall.
    """

    state: str
    read: datetime
    data: ReportData | None
    values: Frame

    @cached_property
    def board(self) -> Frame:
        """One row per model that was tried: its name, facts, accuracies, scores."""
        if self.data is None:
            return pd.DataFrame(columns=["model", "family"])
        board = board_of(self.data).reset_index(names="model")
        # Cell by cell, Python's own texts are read much faster than Arrow's.
        return board.astype({name: object for name in board.select_dtypes("str")})

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many models have each score."""
        counted = {} if self.data is None else self.data.scores.count().to_dict()
        return {str(label): int(n) for label, n in counted.items()}

    @cached_property
    def standings(self) -> Standings:
        """How each model stands in each score."""
        assert self.data is not None
        return Standings.of(self.data, self.values)


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
        self.snapshot = Snapshot("", datetime.now(UTC), None, _no_values())
        self._next_full = 0.0
        self._stop = threading.Event()
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

    def refresh(self) -> None:
        """Read what has changed, unless it was read a moment ago."""
        state = state_of(self.store.path)
        try:
            running = run_in_progress(self.store)
            if state != self.activity.state:
                self.activity = _activity(self.store, state, running)
            elif running != self.activity.running:
                self.activity = replace(self.activity, running=running)
            if state != self.snapshot.state and time.monotonic() >= self._next_full:
                start = time.monotonic()
                self.snapshot = read_snapshot(self.store, state)
                self.read_seconds = time.monotonic() - start
                self._next_full = time.monotonic() + self.read_seconds / MOST_SHARE
            self.error = ""
        except ZooEvalError as error:
            self.error = str(error)

    def _keep_up(self) -> None:
        while not self._stop.wait(POLL_S):
            try:
                self.refresh()
            except Exception:  # the next try may fare better; without a thread nothing would
                logging.getLogger("uvicorn.error").exception("reading the store failed")
                self.error = "The store could not be read; the service's log says why."


def state_of(path: Path) -> str:
    """A name for the content of a result file, from when and how it was last written."""
    seen: list[tuple[int, int]] = []
    for each in (path, path.with_name(f"{path.name}.wal")):
        try:
            status = each.stat()
        except FileNotFoundError:
            continue
        seen.append((status.st_mtime_ns, status.st_size))
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:16] if seen else ""


def read_snapshot(store: Store, state: str) -> Snapshot:
    """Read everything.

    Raises:
        StoreError: the store cannot be read.
    """
    now = datetime.now(UTC)
    if not store.path.exists():
        return Snapshot(state, now, None, _no_values())
    try:
        data = collect(store)
    except ReportError:  # a run has begun, but nothing is stored yet
        return Snapshot(state, now, None, _no_values())
    return Snapshot(state, now, data, _compact(store.scores()))


def _activity(store: Store, state: str, running: bool) -> Activity:
    if not store.path.exists():
        return Activity(state, pd.DataFrame(), pd.DataFrame(), running)
    return Activity(state, store.runs(), store.attempts(), running)


def _compact(values: Frame) -> Frame:
    """Text as categories: some hundred words are compared instead of as many as there are rows."""
    return values.astype({name: "category" for name in values.select_dtypes("str")})


def _no_values() -> Frame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _VALUES.items()})
