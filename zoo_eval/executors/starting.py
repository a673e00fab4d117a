"""How worker processes begin: as copies of one that has imported what takes long.

A worker imports torch and scikit-learn: seconds, and hundreds of megabytes, for each of
them and again whenever one is replaced. Python's fork server does it once; its copies begin at
once and share that memory. Nothing runs in it, so that no thread and no GPU context is copied,
which is what makes forking a run itself unsafe.
"""

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.context import BaseContext

from pebble import ProcessPool


def one_process(begin: Callable[..., object], *arguments: object) -> ProcessPool:
    """A process that can be killed, and is replaced when it dies.

    Args:
        begin: Called in the process before its first task.
        *arguments: What it is called with.
    """
    return ProcessPool(
        max_workers=1,
        context=_context(),
        initializer=_begin,
        initargs=(dict(os.environ), begin, arguments),
    )


def _context() -> BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():  # Windows
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["zoo_eval.executors.imports"])
    return context


def _begin(
    environment: dict[str, str], begin: Callable[..., object], arguments: tuple[object, ...]
) -> None:
    os.environ.clear()  # the server's is that of the moment at which it started
    os.environ.update(environment)
    begin(*arguments)
