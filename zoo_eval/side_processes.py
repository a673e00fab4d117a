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
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
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
def side_processes(modules: Sequence[str], at_most: int | None = None) -> Generator[SideProcesses]:
    """One process per core, begun now and ended on leaving; on one core none.

    Args:
        modules: What each imports first, while this process goes on.
        at_most: How many processes, where there are more cores; None: as many as cores.

    Raises:
        ReportError: a process was ended from outside.
    """
    cores = joblib.cpu_count()
    if cores == 1:
        yield SideProcesses()
        return
    count = min(at_most or cores, cores)
    # A fork would copy this process with its threads, and may hang.
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    executor = ProcessPoolExecutor(count, context, initializer=_begin, initargs=(modules, theirs))
    for _ in range(count):
        executor.submit(int)  # a process is begun when there is something to do
    try:
        yield SideProcesses(executor, count)
    except BaseException as error:
        ours.close()  # nobody waits for what they are doing
        if not isinstance(error, BrokenProcessPool):
            raise
        raise ReportError(
            "A process that took a part of the work was ended from outside, most likely because "
            f"memory ran out: {count} ran beside this one. Free memory, or set "
            "LOKY_MAX_CPU_COUNT=1, which leaves all work to one."
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)
        ours.close()
        theirs.close()


def _call(pickled: bytes) -> Any:  # noqa: ANN401  # whatever the function returns
    function, args, kwargs = pickle.loads(pickled)
    return function(*args, **kwargs)


def _begin(modules: Sequence[str], parent: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches all: end at once, say nothing
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    # Each process has one core: more threads would only wait for each other, and hold memory.
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"
    for module in modules:
        importlib.import_module(module)
    threadpool_limits(1)


def _end_with(parent: Connection) -> None:
    """End when the other end is closed: by a parent that has failed, or that is no more."""
    with suppress(EOFError):
        parent.recv()
    os._exit(1)
