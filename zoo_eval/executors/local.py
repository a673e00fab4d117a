"""Does tasks in worker processes on this machine."""

import math
import time
from collections.abc import Sequence

from zoo_eval.executors.cores import threads_of_each
from zoo_eval.executors.process import Limits, Loss, WorkerMaker
from zoo_eval.executors.slot import Slot, wait_for_one
from zoo_eval.executors.task import Task, failed_outcome
from zoo_eval.store import Outcome

MOST_WAITING = 200


class LocalExecutor:
    """Worker processes, each with its share of the processor's threads.

    Leaving the `with` block ends the workers at once; a task that is under way is lost, and the
    next run does it again.

    Args:
        workers: Number of processes.
        make_worker: Makes what works in each of them, once it has begun.
        limits: What a worker may take.
    """

    def __init__(self, workers: int, make_worker: WorkerMaker, limits: Limits) -> None:
        threads = threads_of_each(workers)
        self._slots = [
            Slot[Task, Outcome](make_worker, threads, workers, limits) for _ in range(workers)
        ]
        self._waiting = 2  # tasks of one worker, the one that it does included
        self._left_at: float | None = None
        self._seconds = math.inf

    def __enter__(self) -> "LocalExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        for slot in self._slots:
            slot.stop()

    @property
    def room(self) -> int:
        """How many more tasks can be submitted now."""
        return sum(max(0, self._waiting - len(s.tasks)) for s in self._slots if s.is_open)

    @property
    def busy(self) -> bool:
        """Whether a task is not finished yet."""
        return any(slot.tasks for slot in self._slots)

    def submit(self, task: Task) -> None:
        """Begin a task, or let it wait for the next free worker."""
        slots = [slot for slot in self._slots if slot.is_open]
        min(slots, key=lambda slot: len(slot.tasks)).submit(task)

    def finished(self, timeout_s: float) -> Sequence[tuple[Task, Outcome]]:
        """Tasks that ended since the last call; waits for one at most so long."""
        self._keep_busy()
        wait_for_one(self._slots, timeout_s)
        ended = [
            (task, failed_outcome(task, result) if isinstance(result, Loss) else result)
            for slot in self._slots
            for task, result in slot.ended()
        ]
        if ended:
            spent = sum(outcome.attempt.seconds for _, outcome in ended)
            self._seconds = spent / len(ended)
        self._left_at = time.monotonic()
        return ended

    def _keep_busy(self) -> None:
        """Let as many tasks wait as workers do while outcomes are being stored.

        Two for networks that take seconds, so that an interruption loses little; many for those
        that take milliseconds, which would else be done faster than they are handed out.
        """
        if self._left_at is not None:
            away = time.monotonic() - self._left_at
            needed = 2 + math.ceil(away / max(self._seconds, 1e-4))
            self._waiting = min(MOST_WAITING, max(needed, self._waiting // 2))
