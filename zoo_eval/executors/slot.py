"""One worker process, which can be killed, and what came of its tasks."""

import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from ctypes import c_char, c_double
from datetime import UTC, datetime
from multiprocessing.sharedctypes import RawArray
from typing import Any, Generic, TypeVar

import psutil
from pebble import ProcessExpired, ProcessPool

from zoo_eval.executors.process import Limits, Loss, WorkerMaker, Works
from zoo_eval.executors.starting import one_process
from zoo_eval.executors.watch import EXIT_OUT_OF_MEMORY

Payload = TypeVar("Payload")
Result = TypeVar("Result")
_NOT_BEGUN = BrokenProcessPool("the worker process died before it took the task")
# A worker that has nothing to do takes a task within milliseconds.
LOST_AFTER_S = 20.0


class Slot(Generic[Payload, Result]):
    """One worker process, replaced when it has done its share or keeps too much memory.

    Args:
        make_worker: Makes what works in the process, once it has begun.
        threads: Of the worker.
        sharing: How many workers share the machine.
        limits: What the worker may take.
    """

    def __init__(
        self, make_worker: WorkerMaker, threads: int, sharing: int, limits: Limits
    ) -> None:
        self._arguments, self._limits = (make_worker, threads, sharing, limits.memory), limits
        self.tasks: dict[Future[tuple[Result, int]], tuple[Payload, datetime, float]] = {}
        # Where the worker writes what it is doing, to be read when it has died of it.
        self._doing = RawArray(c_char, 80)
        # Process of a worker, and since when it has nothing to do; 0 while it has.
        self._idle = RawArray(c_double, 2)
        self._last_event = time.monotonic()
        self._pool = self._start()

    def _start(self) -> ProcessPool:
        self._submitted = 0
        self._worn = False
        return one_process(_set_up, self._doing, self._idle, self._arguments)

    @property
    def is_open(self) -> bool:
        """Whether its worker is to get more tasks."""
        return not self._worn and self._submitted < self._limits.networks

    @property
    def _has_pool(self) -> bool:
        """Whether pebble has not given up; asked for the first time, it starts the worker."""
        try:
            return self._pool.active
        except BrokenProcessPool:  # what a worker is a copy of died as it was being copied
            return False

    @property
    def _has_lost_a_task(self) -> bool:
        """Whether the first task has no end, though a worker is there and has nothing to do.

        Pebble's workers take a task out of a pipe and then say so. One that was killed between the
        two has taken the task with it; one that was killed just after it is known to have the
        task only when its death has been dealt with. Pebble waits for both for ever.
        """
        process, since = self._idle
        quiet_s = time.monotonic() - max(since, self._last_event)
        if not since or quiet_s < LOST_AFTER_S or not psutil.pid_exists(int(process)):
            return False
        return not next(iter(self.tasks)).done()

    def submit(self, task: Payload) -> None:
        """Begin a task, or let it wait for those before it."""
        if not self.tasks:
            self._last_event = time.monotonic()
        if not self.tasks and not self._has_pool:
            self._replace()  # its worker died when it had nothing to do
        self._submitted += 1
        started = datetime.now(UTC).replace(tzinfo=None)
        try:
            future: Future[tuple[Result, int]] = self._pool.schedule(
                _work, args=[task], timeout=self._limits.time_s
            )
        except RuntimeError:  # it died just now
            future = Future()
            future.set_exception(_NOT_BEGUN)
        self.tasks[future] = (task, started, time.monotonic())

    def ended(self) -> list[tuple[Payload, Result | Loss]]:
        """Tasks that ended; makes a new worker if this one is worn out and has no more to do."""
        found: list[tuple[Payload, Result | Loss]] = []
        not_begun: list[tuple[Payload, Loss]] = []
        # A worker that died before it took a task takes the pool with it, and all that waits there.
        broken = bool(self.tasks) and (
            not self._has_pool or self._has_lost_a_task or any(map(_is_broken, self.tasks))
        )
        for future in [future for future in self.tasks if broken or future.done()]:
            self._last_event = time.monotonic()
            task, started, clock = self.tasks.pop(future)
            error = future.exception() if future.done() else _NOT_BEGUN
            if error is None:
                result, memory = future.result()
                # Half, as the next network must find room beside what this one left behind.
                limit = self._limits.memory
                self._worn |= limit is not None and memory > limit / 2
                found.append((task, result))
                continue
            during = self._doing.value.decode(errors="replace") or "its start"
            kind, message = self._how_failed(error, during)
            seconds = time.monotonic() - clock
            loss = Loss(kind, type(error).__name__, message, during, started, seconds)
            (not_begun if isinstance(error, BrokenProcessPool) else found).append((task, loss))
        if broken or (not self.tasks and not self.is_open):
            self._replace()
        # The first may be what it died of: it must not be begun for ever. The others wait again.
        for task, _ in not_begun[1:]:
            self.submit(task)
        return found + not_begun[:1]

    def _replace(self) -> None:
        self.stop()
        self._pool = self._start()

    def stop(self) -> None:
        """End the worker at once, and its tasks with it."""
        self._pool.stop()
        self._pool.join()

    def _how_failed(self, error: BaseException, during: str) -> tuple[str, str]:
        """Kind of failure and message."""
        if isinstance(error, TimeoutError):
            return "timeout", (
                f"Stopped after {self._limits.time_s:.0f} s, the time limit, during {during}. "
                "--time-limit allows more."
            )
        if isinstance(error, BrokenProcessPool):
            return "killed", f"The worker process died during {during}."
        if not isinstance(error, ProcessExpired):
            return "error", str(error).partition("\n")[0]
        if error.exitcode != EXIT_OUT_OF_MEMORY:
            return "killed", _how_killed(error.exitcode, during)
        limit = self._limits.memory
        why = "the machine ran short" if limit is None else f"it passed {limit / 1e9:.3g} GB"
        return "out_of_memory", f"The worker ran out of memory during {during}: {why}."


def wait_for_one(slots: Sequence[Slot[Any, Any]], timeout_s: float) -> None:
    """Return when a task of these workers ends, or after so long."""
    futures = [future for slot in slots for future in slot.tasks]
    wait(futures, timeout=timeout_s, return_when=FIRST_COMPLETED)


def _is_broken(future: Future[Any]) -> bool:
    return future.done() and isinstance(future.exception(), BrokenProcessPool)


def _how_killed(exit_code: int, during: str) -> str:
    if exit_code >= 0:
        return f"The worker process ended itself with exit code {exit_code} during {during}."
    name = signal.Signals(-exit_code).name
    cause = "it may have run out of memory" if name == "SIGKILL" else "native code crashed"
    return f"The worker process was ended by {name} during {during}: {cause}."


# What a worker process keeps between tasks.
_worker: Works
_doing: Any  # a RawArray of characters
_idle: Any  # a RawArray of two doubles


def _set_up(doing: Any, idle: Any, arguments: tuple[Any, ...]) -> None:  # noqa: ANN401  # of ctypes
    global _worker, _doing, _idle
    _doing, _idle = doing, idle
    make_worker, *share = arguments
    _worker = make_worker(*share)
    _idle[:] = os.getpid(), time.monotonic()


def _work(task: Any) -> tuple[Any, int]:  # noqa: ANN401  # of whatever kind the worker takes
    _idle[1] = 0.0
    try:
        return _worker.work(task, _say)
    finally:
        _doing.value = b""
        _idle[1] = time.monotonic()


def _say(what: str) -> None:
    _doing.value = what.encode()[:79]
