"""Carries out in another process what takes long, so that requests are answered meanwhile.

All threads of a process share Python's interpreter: a second of reading or of statistics in one of
them would be a second in which every answer comes late.
"""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from zoo_eval.errors import ServiceError

T = TypeVar("T")


class Aside:
    """Processes that are begun when they are first needed, and replaced when they die.

    Args:
        niceness: How far they step back behind others; see nice(1).
        processes: How many.

    Attributes:
        stopped: Whether no more calls are taken.
    """

    def __init__(self, niceness: int = 0, processes: int = 1) -> None:
        self._niceness, self._processes = niceness, processes
        self._pool: ProcessPool | None = None
        self._underway: set[Any] = set()  # pebble's futures, which end only if they are cancelled
        self.stopped = False
        self._lock = threading.Lock()

    def call(self, function: Callable[..., T], *arguments: object) -> T:
        """What a function returns; what it raises is raised here.

        Args:
            function: Of a module.
            *arguments: What can be pickled.

        Raises:
            ServiceError: the process ended before it had an answer.
        """
        try:
            return self.begin(function, *arguments).result()
        except (ProcessExpired, BrokenProcessPool, CancelledError) as error:
            raise ServiceError(
                f"A process of the service has ended before it had an answer ({error}); another is "
                "begun when it is next needed. If that goes on, look for a lack of memory."
            ) from error

    def begin(self, function: Callable[..., T], *arguments: object) -> "Future[T]":
        """The same, without waiting; the future's error may be pebble's.

        Raises:
            ServiceError: no more calls are taken.
            BrokenProcessPool: the process ended just now.
        """
        with self._lock:
            if self.stopped:
                raise ServiceError("The service ends.")
            if self._pool is None or not self._pool.active:
                self._pool = _pool(self._niceness, self._processes)
            future: Any = self._pool.schedule(function, args=arguments)
            self._underway.add(future)
        future.add_done_callback(self._underway.discard)
        return future

    def stop(self) -> None:
        """End the processes, whatever they do, and begin no other."""
        with self._lock:
            self.stopped = True
        for future in list(self._underway):
            future.cancel()
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()


def _pool(niceness: int, processes: int) -> ProcessPool:
    return ProcessPool(
        max_workers=processes,
        context=multiprocessing.get_context("spawn"),
        initializer=_set_up,
        initargs=(niceness,),
    )


def _set_up(niceness: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the service decides
    os.nice(niceness)
    logging.captureWarnings(True)  # scikit-learn's, of its own threads
