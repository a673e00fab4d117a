"""Tries at a network, with what went wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from zoo_eval.report import formats
from zoo_eval.report.frames import Frame
from zoo_eval.report.pages.cells import text


@dataclass(frozen=True)
class Attempt:
    """One try, as text.

    Attributes:
        model: Which model.
        weights: With which weights.
        started: When, UTC.
        took: How long, with unit.
        device: Where it computed.
        memory: Most memory of the worker so far; empty if it was not measured.
        outcome: `ok`, `undefined`, or what went wrong.
        error: Type of the error and its message; empty if there was none.
        traceback: Where it happened; empty if it is not known.
        good: Whether every score was computed or is undefined.
    """

    model: str
    weights: str
    started: str
    took: str
    device: str
    memory: str
    outcome: str
    error: str
    traceback: str
    good: bool


def attempts_of(attempts: Frame, model: str) -> list[Attempt]:
    """The tries at one model, newest first."""
    return as_attempts(attempts[attempts["model"] == model].iloc[::-1])


def failed(runs: Frame, attempts: Frame) -> list[Attempt]:
    """The last tries at those networks whose last try did not end well, newest first.

    Clocks are set back; so the order is that of the runs, as in the store's view of failures.
    """
    if attempts.empty:
        return []
    place = {run: place for place, run in enumerate(runs["run"])}
    order = attempts["run"].map(place).fillna(-1).sort_values(kind="stable").index
    last = attempts.loc[order].drop_duplicates(["model", "weights", "seed"], keep="last")
    return as_attempts(last[~last["outcome"].isin(["ok", "undefined"])].iloc[::-1])


def as_attempts(rows: Frame) -> list[Attempt]:
    """Rows of the store's attempts; columns that a row lacks are empty."""
    return [_attempt(row) for row in rows.to_dict("records")]


def when(started: object) -> str:
    """A time as the store has it, UTC; empty if there is none."""
    return (
        f"{started:%Y-%m-%d %H:%M}"
        if isinstance(started, pd.Timestamp) and not pd.isna(started)
        else ""
    )


def _attempt(row: Mapping[Any, Any]) -> Attempt:
    weights, seed = text(row.get("weights")), text(row.get("seed"))
    seconds, peak = row.get("seconds"), row.get("peak_rss_bytes")
    outcome = text(row.get("outcome"))
    error = ": ".join(filter(None, (text(row.get("error_type")), text(row.get("message")))))
    return Attempt(
        model=text(row.get("model")),
        weights=f"{weights}, seed {seed}" if weights.startswith("init") and seed else weights,
        started=when(row.get("started")),
        took=f"{formats.seconds(seconds)} s" if isinstance(seconds, float) else "",
        device=text(row.get("device")),
        memory=f"{formats.count(float(peak))}B"
        if isinstance(peak, int | float) and peak == peak
        else "",
        outcome=outcome,
        error=error,
        traceback=text(row.get("traceback")),
        good=outcome in ("ok", "undefined"),
    )
