"""A worker that sleeps in place of evaluating; in a module that nodes can import."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from zoo_eval.executors.task import Task
from zoo_eval.store import Attempt, Outcome, ScoreRow

UNIT_S = 0.001


class Sleeper:
    """A worker that sleeps in place of evaluating."""

    def __init__(self, threads: int, workers: int, memory: int | None) -> None:
        del threads, workers, memory
        self._random = random.Random(0)

    def work(self, task: Task, doing: Callable[[str], None]) -> tuple[Outcome, int]:
        """Ten random values, after a millisecond."""
        doing("sleep")
        started = datetime.now(UTC).replace(tzinfo=None)
        time.sleep(UNIT_S)
        unit = task.unit
        rows = tuple(ScoreRow(key, self._random.random(), None, UNIT_S) for key in unit.keys)
        attempt = Attempt(unit.line.model, unit.weights, unit.seed, started, UNIT_S)
        return Outcome(attempt, rows), 0
