"""Correlations with each accuracy: computed when first asked for, in the background.

They take seconds for a large store, in which requests are answered with those of an earlier state.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from zoo_eval.errors import ReportError, ZooEvalError
from zoo_eval.report import Findings, ReportData, findings
from zoo_eval.report.findings import choose_truth, known_truths
from zoo_eval.service.aside import Aside
from zoo_eval.service.live import Live, pause_after
from zoo_eval.service.snapshot import Snapshot
from zoo_eval.service.table import Table

# Values of scores: from here on the statistics are worth another process.
_WORTH = 20_000
_NICENESS = 10  # requests, and a run, come first


@dataclass(frozen=True)
class Found:
    """Statistics, the snapshot that they were computed from, and when newer ones may be computed.

    A store that a run writes to changes all the time; computing has its share of the time only.
    """

    findings: Findings
    snapshot: Snapshot
    next_at: float

    @cached_property
    def rows(self) -> str:
        """The correlations as a JSON array, the score's label among the columns."""
        table = Table.of(self.findings.correlations.reset_index(names="score"))
        return table.json(np.arange(table.length))


class Statistics:
    """The findings by accuracy.

    Args:
        live: Where the newest snapshot is.
        resamples: Bootstrap resamples.
    """

    def __init__(self, live: Live, resamples: int) -> None:
        self._live, self._resamples = live, resamples
        self._found: dict[str, Found] = {}
        self._underway: dict[str, Future[None]] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(1, "statistics")
        self._aside = Aside(_NICENESS)

    def stop(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._aside.stop()
        self._threads.shutdown()

    def truths(self) -> list[str]:
        """Accuracies that some model has, that of most models first."""
        data = self._live.snapshot.data
        return [] if data is None else known_truths(data)

    def truth(self, wanted: str | None) -> str:
        """The accuracy that is meant.

        Raises:
            ReportError: the store has no such accuracy, or none at all.
        """
        data = self._live.snapshot.data
        if data is None:
            raise ReportError("There is nothing to correlate: the store has no scores yet.")
        return choose_truth(data, wanted)

    def of(self, truth: str) -> Found | None:
        """The newest findings there are; None: they are being computed for the first time."""
        found = self._found.get(truth)
        if found is None or (
            found.snapshot.state != self._live.snapshot.state and time.monotonic() > found.next_at
        ):
            self._begin(truth)
        return self._found.get(truth)

    def known(self) -> dict[str, Found]:
        """The newest findings there are, by accuracy; computes nothing."""
        return dict(self._found)

    def _begin(self, truth: str) -> None:
        with self._lock:
            underway = self._underway.get(truth)
            if underway is None or underway.done():
                self._underway[truth] = self._threads.submit(self._compute, truth)

    def _compute(self, truth: str) -> None:
        start, snapshot = time.monotonic(), self._live.snapshot
        if snapshot.data is None:
            return
        try:
            compute = self._aside.call if snapshot.data.scores.size > _WORTH else _here
            computed = compute(_findings, snapshot.data, truth, self._resamples)
        except ZooEvalError as error:  # the accuracy is known no longer, or the service ends
            if self._aside.stopped:
                return
            logging.getLogger("uvicorn.error").warning("no correlations with %s: %s", truth, error)
            return
        now = time.monotonic()
        computed = replace(computed, data=snapshot.data)  # not a copy, if it was computed aside
        self._found[truth] = Found(computed, snapshot, now + pause_after(now - start))


def _findings(data: ReportData, truth: str, resamples: int) -> Findings:
    return findings(data, truth, resamples=resamples)


def _here(function: Callable[..., Findings], *arguments: object) -> Findings:
    return function(*arguments)
