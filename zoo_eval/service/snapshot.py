"""What the store says, in memory, as requests need it."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pandas as pd

from zoo_eval.errors import ReportError
from zoo_eval.report import ReportData, collect
from zoo_eval.report.board import board_of
from zoo_eval.report.frames import Frame
from zoo_eval.service.standings import Standings
from zoo_eval.service.table import RowsByModel, Table
from zoo_eval.store import Store

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

    @cached_property
    def tries(self) -> RowsByModel:
        """A model's attempts, newest first, ready to be sent."""
        return RowsByModel.of(self.attempts.iloc[::-1])


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
    def board_table(self) -> Table:
        """The board, ready to be sent."""
        return Table.of(self.board)

    @cached_property
    def values_table(self) -> Table:
        """The values, ready to be sent."""
        return Table.of(self.values)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many models have each score."""
        counted = {} if self.data is None else self.data.scores.count().to_dict()
        return {str(label): int(n) for label, n in counted.items()}

    @cached_property
    def trust(self) -> RowsByModel:
        """A model's rows of the trust gate, ready to be sent."""
        assert self.data is not None
        return RowsByModel.of(self.data.trust)

    @cached_property
    def undefined(self) -> dict[str, list[dict[str, object]]]:
        """By score label, why models have no value."""
        found: dict[str, list[dict[str, object]]] = defaultdict(list)
        if self.data is not None:
            for row in self.data.undefined.to_dict("records"):
                found[str(row.pop("score"))].append(row)
        return found

    @cached_property
    def siblings(self) -> dict[str, list[str]]:
        """Models by architecture."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.board["model"]:
            found[name.partition(".")[0]].append(name)
        return found

    @cached_property
    def standings(self) -> Standings:
        """How each model stands in each score."""
        assert self.data is not None
        return Standings.of(self.data, self.values)


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
    """Read everything, and work out what requests will need.

    Raises:
        StoreError: the store cannot be read.
    """
    now = datetime.now(UTC)
    if not store.path.exists():
        return Snapshot(state, now, None, no_values())
    try:
        data = collect(store)
    except ReportError:  # a run has begun, but nothing is stored yet
        return Snapshot(state, now, None, no_values())
    snapshot = Snapshot(state, now, data, _compact(store.scores()))
    # Properties are kept once they have been asked for, and go along to another process.
    _ = snapshot.board_table.whole_rows, snapshot.values_table, snapshot.counts
    _ = snapshot.standings, snapshot.siblings, snapshot.trust, snapshot.undefined
    return snapshot


def read_activity(store: Store, state: str, running: bool) -> Activity:
    """Read what changes with every network.

    Raises:
        StoreError: the store cannot be read.
    """
    if not store.path.exists():
        return Activity(state, pd.DataFrame(), pd.DataFrame(), running)
    activity = Activity(state, store.runs(), store.attempts(), running)
    _ = activity.last_attempts, activity.tries
    return activity


def _compact(values: Frame) -> Frame:
    """Text as categories: some hundred words are compared instead of as many as there are rows."""
    return values.astype({name: "category" for name in values.select_dtypes("str")})


def no_values() -> Frame:
    """The table of values of a store that has none."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _VALUES.items()})
