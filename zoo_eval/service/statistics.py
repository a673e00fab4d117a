"""Correlations with each accuracy: computed when first asked for, in the background.

They take seconds for a large store, in which requests are answered with those of an earlier state.
"""

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from zoo_eval.errors import ReportError, ZooEvalError
from zoo_eval.report import Findings, findings
from zoo_eval.report.findings import choose_truth, known_truths
from zoo_eval.report.frames import Frame
from zoo_eval.service.snapshot import MOST_SHARE, Live, Snapshot


@dataclass(frozen=True)
class Found:
    """Statistics, the snapshot that they were computed from, and when newer ones may be computed.

    A store that a run writes to changes all the time; computing has its share of the time only.
    """

    findings: Findings
    snapshot: Snapshot
    next_at: float

    @cached_property
    def table(self) -> Frame:
        """The correlations, the score's label among the columns."""
        return self.findings.correlations.reset_index(names="score")


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

    def stop(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=True, cancel_futures=True)

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
            computed = findings(snapshot.data, truth, resamples=self._resamples)
        except ZooEvalError as error:  # the accuracy is known no longer
            logging.getLogger("uvicorn.error").warning("no correlations with %s: %s", truth, error)
            return
        now = time.monotonic()
        self._found[truth] = Found(computed, snapshot, now + (now - start) / MOST_SHARE)
