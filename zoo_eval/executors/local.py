"""Does tasks in worker processes on this machine."""

import math
import signal
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from ctypes import c_char
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.sharedctypes import RawArray
from typing import Any

from pebble import ProcessExpired, ProcessPool

from zoo_eval.datasets import Dataset
from zoo_eval.executors.cores import threads_of_each
from zoo_eval.executors.task import Limits, Task, failed_outcome
from zoo_eval.executors.watch import EXIT_OUT_OF_MEMORY
from zoo_eval.executors.worker import Worker
from zoo_eval.settings import Settings
from zoo_eval.store import Outcome

MOST_WAITING = 200


class LocalExecutor:
    """Worker processes, each with its share of the processor's threads.

    Leaving the `with` block ends the workers at once; a task that is under way is lost, and the
    next run does it again.

    Args:
        workers: Number of processes.
        dataset: The images, for all tasks.
        settings: How networks are run.
        limits: What a worker may take.
    """

    def __init__(self, workers: int, dataset: Dataset, settings: Settings, limits: Limits) -> None:
        threads = threads_of_each(workers)
        arguments = (dataset, settings, threads, workers, limits.memory)
        self._slots = [_Slot(arguments, limits) for _ in range(workers)]
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
        futures = [future for slot in self._slots for future in slot.tasks]
        wait(futures, timeout=timeout_s, return_when=FIRST_COMPLETED)
        ended = [pair for slot in self._slots for pair in slot.ended()]
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


class _Slot:
    """One worker process, replaced when it has done its share or keeps too much memory."""

    def __init__(self, arguments: tuple[Any, ...], limits: Limits) -> None:
        self._arguments, self._limits = arguments, limits
        self.tasks: dict[Future[tuple[Outcome, int]], tuple[Task, datetime, float]] = {}
        # Where the worker writes what it is doing, to be read when it has died of it.
        self._doing = RawArray(c_char, 80)
        self._pool = self._start()

    def _start(self) -> ProcessPool:
        self._submitted = 0
        self._worn = False
        # spawn: a forked copy of a process with BLAS or CUDA threads can hang.
        return ProcessPool(
            max_workers=1,
            context=get_context("spawn"),
            initializer=_set_up,
            initargs=(self._doing, self._arguments),
        )

    @property
    def is_open(self) -> bool:
        """Whether its worker is to get more tasks."""
        return not self._worn and self._submitted < self._limits.networks

    def submit(self, task: Task) -> None:
        self._submitted += 1
        future: Future[tuple[Outcome, int]] = self._pool.schedule(
            _work, args=[task], timeout=self._limits.time_s
        )
        started = datetime.now(UTC).replace(tzinfo=None)
        self.tasks[future] = (task, started, time.monotonic())

    def ended(self) -> list[tuple[Task, Outcome]]:
        """Tasks that ended, and a new worker if this one is worn out and has no more to do."""
        found: list[tuple[Task, Outcome]] = []
        for future in [future for future in self.tasks if future.done()]:
            task, started, clock = self.tasks.pop(future)
            error = future.exception()
            if error is None:
                outcome, memory = future.result()
                # Half, as the next network must find room beside what this one left behind.
                limit = self._limits.memory
                self._worn |= limit is not None and memory > limit / 2
            else:
                during = self._doing.value.decode(errors="replace") or "its start"
                kind, message = self._how_failed(error, during)
                outcome = failed_outcome(
                    *(task, started, time.monotonic() - clock),
                    *(kind, type(error).__name__, message, during),
                )
            found.append((task, outcome))
        if not self.tasks and not self.is_open:
            self.stop()
            self._pool = self._start()
        return found

    def stop(self) -> None:
        self._pool.stop()
        self._pool.join()

    def _how_failed(self, error: BaseException, during: str) -> tuple[str, str]:
        """Kind of failure and message."""
        if isinstance(error, TimeoutError):
            return "timeout", (
                f"Stopped after {self._limits.time_s:.0f} s, the time limit, during {during}. "
                "--time-limit allows more."
            )
        if not isinstance(error, ProcessExpired):
            return "error", str(error).partition("\n")[0]
        if error.exitcode != EXIT_OUT_OF_MEMORY:
            return "killed", _how_killed(error.exitcode, during)
        limit = self._limits.memory
        why = "the machine ran short" if limit is None else f"it passed {limit / 1e9:.3g} GB"
        return "out_of_memory", f"The worker ran out of memory during {during}: {why}."


def _how_killed(exit_code: int, during: str) -> str:
    if exit_code >= 0:
        return f"The worker process ended itself with exit code {exit_code} during {during}."
    name = signal.Signals(-exit_code).name
    cause = "it may have run out of memory" if name == "SIGKILL" else "native code crashed"
    return f"The worker process was ended by {name} during {during}: {cause}."


# What a worker process keeps between tasks.
_worker: Worker
_doing: Any  # a RawArray of characters


def _set_up(doing: Any, arguments: tuple[Any, ...]) -> None:  # noqa: ANN401  # ctypes' own type
    global _worker, _doing
    _doing = doing
    _worker = Worker(*arguments)


def _work(task: Task) -> tuple[Outcome, int]:
    try:
        return _worker.work(task, _say)
    finally:
        _doing.value = b""


def _say(what: str) -> None:
    _doing.value = what.encode()[:79]
