"""Statistics that take seconds or a minute: computed when asked for, in processes of their own."""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pebble import ProcessPool

from zoo_eval.report import ReportData
from zoo_eval.report.details import Details, details
from zoo_eval.report.predictions import Predictions, predictions
from zoo_eval.service.snapshot import MOST_SHARE, Live, Snapshot

T = TypeVar("T")
# So that many details do not wait for a prediction, which takes a minute.
_PROCESSES = 2
_MOST_KEPT = 500
_MOST_UNDERWAY = 50
_NICENESS = 10
_RETRY_S = 60.0
_Question = tuple[str, ...]


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What was computed, from which snapshot, and when it may be computed anew.

    Attributes:
        value: The statistics; None if their process failed.
        snapshot: What they were computed from.
        next_at: A store that a run writes to changes all the time; computing has its share only.
    """

    value: T | None
    snapshot: Snapshot
    next_at: float


class OnDemand:
    """Keeps the newest answer to each question; while a newer one is computed, the one before.

    Args:
        live: Where the newest snapshot is.
        resamples: Bootstrap resamples.
    """

    def __init__(self, live: Live, resamples: int) -> None:
        self._live, self._resamples = live, resamples
        self._kept: OrderedDict[_Question, Answer[Any]] = OrderedDict()
        self._underway: set[_Question] = set()
        self._lock = threading.Lock()
        self._pool = _new_pool()

    def details(self, truth: str, label: str) -> Answer[Details] | None:
        """What a score's correlation depends on; None: that is being computed."""
        data = self._live.snapshot.data
        if data is None or label not in data.scores:  # gone since the page was begun
            return None
        return self._of(("details", truth, label), _details, truth, label, self._resamples)

    def predictions(self, truth: str) -> Answer[Predictions] | None:
        """The accuracy as predicted from the scores; None: that is being computed."""
        return self._of(("predictions", truth), predictions, truth)

    def stop(self) -> None:
        """End what is underway."""
        self._pool.stop()
        self._pool.join()

    def _of(
        self, question: _Question, compute: Callable[..., Any], *arguments: object
    ) -> Answer[Any] | None:
        snapshot = self._live.snapshot
        with self._lock:
            kept = self._kept.get(question)
            old = kept is None or kept.snapshot.state != snapshot.state or kept.value is None
            due = kept is None or time.monotonic() > kept.next_at
            room = question not in self._underway and len(self._underway) < _MOST_UNDERWAY
            if not (old and due and room) or snapshot.data is None:
                return kept
            self._underway.add(question)
        start = time.monotonic()
        try:
            future = self._pool.schedule(compute, args=(snapshot.data, *arguments))
        except RuntimeError:  # the pool is broken; whoever asks again finds a new one
            self._pool = _new_pool()
            self._underway.discard(question)
            return kept
        future.add_done_callback(lambda done: self._keep(question, snapshot, start, done))
        return kept

    def _keep(
        self, question: _Question, snapshot: Snapshot, start: float, done: "Future[Any]"
    ) -> None:
        now = time.monotonic()
        pause, value = (now - start) / MOST_SHARE, None
        if done.cancelled():  # the service ends
            return
        error = done.exception()
        if error is None:
            value = done.result()
        else:
            pause = max(pause, _RETRY_S)
            logging.getLogger("uvicorn.error").error("computing %s failed: %r", question, error)
        with self._lock:
            self._kept[question] = Answer(value, snapshot, now + pause)
            self._kept.move_to_end(question)
            self._underway.discard(question)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)


def _new_pool() -> ProcessPool:
    """Processes that begin when they are needed."""
    context = multiprocessing.get_context("spawn")
    return ProcessPool(_PROCESSES, initializer=_behave, context=context)


def _behave() -> None:
    """Leave the processor to the service, and interruptions too: it ends its processes itself."""
    logging.captureWarnings(True)  # scikit-learn's, of its own threads
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)


def _details(data: ReportData, truth: str, label: str, resamples: int) -> Details:
    return details(data, truth, [label], resamples=resamples)[label]
