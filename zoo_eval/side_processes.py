"""Processes beside this one that take some of its calls: in one process Python runs on one core."""

import importlib
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import joblib
from threadpoolctl import threadpool_limits

from zoo_eval.errors import ReportError

P = ParamSpec("P")
T = TypeVar("T")


class SideProcesses:
    """Takes calls of functions, which are carried out beside this process, or in it.

    Args:
        executor: Where; None: here, at once.
        count: How many calls it carries out at a time.
    """

    def __init__(self, executor: Executor | None = None, count: int = 1) -> None:
        self._executor = executor
        self.count = count

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Begin a call; function, arguments and result can be pickled."""
        if self._executor is not None:
            # Pickled now: the pool would do it in a thread, while the arguments are in use here.
            return self._executor.submit(_call, pickle.dumps((function, args, kwargs)))
        done: Future[T] = Future()
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
    executor = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(modules,))
    for _ in range(count):
        executor.submit(int)  # a process is begun when there is something to do
    try:
        yield SideProcesses(executor, count)
    except BrokenProcessPool as error:
        raise ReportError(
            "A process that took a part of the work was ended from outside, most likely because "
            f"memory ran out: there were {count} beside this one, one per core. Free memory, or "
            "set LOKY_MAX_CPU_COUNT=1, which leaves all work to one."
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


def _call(pickled: bytes) -> Any:  # noqa: ANN401  # whatever the function returns
    function, args, kwargs = pickle.loads(pickled)
    return function(*args, **kwargs)


def _begin(modules: Sequence[str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches all: end at once, say nothing
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Each process has one core: more threads would only wait for each other, and hold memory.
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"
    for module in modules:
        importlib.import_module(module)
    threadpool_limits(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # nobody is left to take what would come of it
