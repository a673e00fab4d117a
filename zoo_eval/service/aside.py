"""Carries out in another process what takes long, so that requests are answered meanwhile.

All threads of a process share Python's interpreter: a second of reading or of statistics in one of
them would be a second in which every answer comes late.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from zoo_eval.errors import ServiceError

T = TypeVar("T")


class Aside:
    """One process, begun when it is first needed and replaced when it dies.

    Args:
        niceness: How far it steps back behind others; see nice(1).

    Attributes:
        stopped: Whether no more calls are taken.
    """

    def __init__(self, niceness: int = 0) -> None:
        self._niceness = niceness
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
        future: Any = None
        try:
            future = self._begin(function, arguments)
            return future.result()
        except (ProcessExpired, BrokenProcessPool, CancelledError) as error:
            raise ServiceError(f"The service's second process has ended: {error}") from error
        finally:
            self._underway.discard(future)

    def _begin(self, function: Callable[..., object], arguments: tuple[object, ...]) -> Any:  # noqa: ANN401
        with self._lock:
            if self.stopped:
                raise ServiceError("The service ends.")
            if self._pool is None or not self._pool.active:
                self._pool = _pool(self._niceness)
            future: Any = self._pool.schedule(function, args=arguments)
            self._underway.add(future)
            return future

    def stop(self) -> None:
        """End the process, whatever it does, and begin no other."""
        with self._lock:
            self.stopped = True
        for future in list(self._underway):
            future.cancel()
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()


def _pool(niceness: int) -> ProcessPool:
    return ProcessPool(
        max_workers=1,
        context=multiprocessing.get_context("spawn"),
        initializer=_set_up,
        initargs=(niceness,),
    )


def _set_up(niceness: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the service decides
    os.nice(niceness)
