"""Hands units to an executor and takes their outcomes, until nothing is left to try."""

import heapq
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from zoo_eval.executors.task import Executor
from zoo_eval.plan import Unit
from zoo_eval.retrying import Tries
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


def drive(units: Iterable[Unit], executor: Executor, tries: Tries) -> Iterator[list[Ended]]:
    """The outcomes as they come: each time, those that are new.

    Args:
        units: What to evaluate, in order.
        executor: Who does it.
        tries: Says what is tried again.
    """
    waiting = deque(units)
    later: list[tuple[float, int, Unit]] = []  # a heap: when it is due, and in which order

    def fill() -> None:
        while later and later[0][0] <= time.monotonic():
            waiting.append(heapq.heappop(later)[2])
        while waiting and executor.room > 0:
            executor.submit(tries.task(waiting.popleft()))

    count = 0
    while True:
        fill()
        if executor.busy:
            ended: list[Ended] = []
            for task, seen in executor.finished(POLL_S):
                outcome, again = tries.settle(task, seen)
                if again is not None:
                    count += 1
                    heapq.heappush(later, (time.monotonic() + again.after_s, count, again.unit))
                ended.append(Ended(outcome, again is not None))
            fill()  # before the outcomes are given out: storing them takes a while
            if ended:
                yield ended
        elif later:
            time.sleep(max(0.0, later[0][0] - time.monotonic()))
        else:
            return
