"""Processes beside this one that take some of its calls: in one process Python runs on one core."""

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import joblib
from pebble import ProcessExpired, ProcessPool
from threadpoolctl import threadpool_limits

from zoo_eval.errors import ReportError

P = ParamSpec("P")
T = TypeVar("T")


class SideProcesses:
    """Takes calls of functions, which are carried out beside this process, or in it.

    Args:
        pool: Where; None: here, at once.
        count: How many calls it carries out at a time.
    """

    def __init__(self, pool: ProcessPool | None = None, count: int = 1) -> None:
        self._pool = pool
        self.count = count

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Begin a call; function, arguments and result can be pickled."""
        done: Any = Future()
        if self._pool is not None:
            done = self._pool.schedule(function, args, kwargs)
        else:
            done.set_result(function(*args, **kwargs))
        return done


@contextmanager
def side_processes(modules: Sequence[str]) -> Generator[SideProcesses]:
    """One process per core, begun now and ended on leaving; on one core none.

    Args:
        modules: What each imports first, while this process goes on.

    Raises:
        ReportError: a process was ended from outside.
    """
    count = joblib.cpu_count()
    if count == 1:
        yield SideProcesses()
        return
    # A fork would copy this process with its threads, and may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPool(count, initializer=_begin, initargs=(modules,), context=context)
    pool.schedule(int)  # they are begun when there is something to do
    try:
        yield SideProcesses(pool, count)
    except ProcessExpired as error:
        raise ReportError(
            "A process that took a part of the work was ended from outside, most likely because "
            f"memory ran out: there were {count} beside this one, one per core. Free memory, or "
            "set LOKY_MAX_CPU_COUNT=1, which leaves all work to one."
        ) from error
    finally:
        pool.stop()
        pool.join()


def _begin(modules: Sequence[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process ends it
    # Each process has one core: more threads would only wait for each other, and hold memory.
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"
    for module in modules:
        importlib.import_module(module)
    threadpool_limits(1)
