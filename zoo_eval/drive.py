"""Hands units to an executor and takes their outcomes, until nothing is left to try."""

import heapq
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from zoo_eval.executors.process import Loss
from zoo_eval.executors.task import Executor, Task, failed_outcome
from zoo_eval.failures import failure_of
from zoo_eval.plan import Unit
from zoo_eval.prefetch import Prefetch, Ready
from zoo_eval.retrying import Again, Tries
from zoo_eval.store import Outcome

POLL_S = 0.5


@dataclass(frozen=True)
class Ended:
    """An outcome, and whether its network will be tried again in this run."""

    outcome: Outcome
    again: bool

    @property
    def good(self) -> bool:
        """Whether every score was computed or is undefined."""
        return self.outcome.attempt.outcome in ("ok", "undefined")


class Drive:
    """One run's way through its units.

    Args:
        units: What to evaluate, as its weights become available.
        executor: Who does it.
        tries: Says what is tried again.
        until: When to stop, by `time.monotonic`.
    """

    def __init__(
        self, units: Prefetch, executor: Executor, tries: Tries, until: float = math.inf
    ) -> None:
        self._units, self._executor, self._tries = units, executor, tries
        self._until = until
        self._later: list[tuple[float, int, Unit]] = []  # a heap: when it is due, which in turn
        self._put_offs = 0

    def outcomes(self) -> Iterator[list[Ended]]:
        """The outcomes as they come: each time, those that are new.

        When the time is up it ends, and what is under way then has no outcome.
        """
        while time.monotonic() < self._until:
            ended = self._fill()
            if self._executor.busy:
                timeout = 0.0 if ended else POLL_S
                ended += [
                    self._settle(task, outcome)
                    for task, outcome in self._executor.finished(timeout)
                ]
                # Before the outcomes are given out: storing them takes a while.
                ended += self._fill()
            elif not ended and self._units.exhausted:
                if not self._later:
                    return
                time.sleep(max(0.0, self._later[0][0] - time.monotonic()))
            if ended:
                yield ended

    def _fill(self) -> list[Ended]:
        """Submit as much as there is room for; what cannot be had ends here."""
        while self._later and self._later[0][0] <= time.monotonic():
            self._units.put(heapq.heappop(self._later)[2])
        refused: list[Ended] = []
        while self._executor.room > 0:
            ready = self._units.ready(0.0 if self._executor.busy or refused else POLL_S)
            if ready is None:
                break
            task = self._tries.task(ready.unit)
            if ready.error is None:
                self._executor.submit(task)
            else:
                refused.append(self._settle(task, _refused(task, ready)))
        return refused

    def _settle(self, task: Task, seen: Outcome) -> Ended:
        outcome, again = self._tries.settle(task, seen)
        self._units.done(task.unit)
        if again is not None:
            self._put_off(again)
        return Ended(outcome, again is not None)

    def _put_off(self, again: Again) -> None:
        if again.after_s == 0:
            self._units.put(again.unit)
        else:
            due = time.monotonic() + again.after_s
            self._put_offs += 1  # so that no two units are compared
            heapq.heappush(self._later, (due, self._put_offs, again.unit))


def _refused(task: Task, ready: Ready) -> Outcome:
    """The outcome of a network whose weights are not to be had."""
    error = ready.error
    assert error is not None
    started = datetime.now(UTC).replace(tzinfo=None)
    loss = Loss(failure_of(error), type(error).__name__, str(error), None, started, 0.0)
    return failed_outcome(task, loss)
