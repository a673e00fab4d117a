"""A thread in each worker that ends it when its run is gone or it takes too much memory."""

import os
import threading
import time
from contextlib import suppress
from multiprocessing import parent_process
from pathlib import Path

import psutil

from zoo_eval.executors.memory import machine_memory

EXIT_OUT_OF_MEMORY = 81  # beyond the codes that programs and shells use themselves
INTERVAL_S = 0.2
SHORT = 0.06  # share of the machine's memory that must stay free; Ray kills at 0.05


def watch(workers: int, limit: int | None) -> None:
    """Start the thread.

    The kernel, when memory runs out, kills whom it likes: the run, or the whole batch system's
    slot. So a worker goes by itself before: where there is a limit, when it passes it; where
    there is none, when the machine runs short and this worker has more than its share.

    Args:
        workers: How many share the machine.
        limit: Bytes that this worker may have.
    """
    _offer_to_kernel()
    threading.Thread(target=_watch, args=(workers, limit), daemon=True).start()


def _watch(workers: int, limit: int | None) -> None:
    process, parent = psutil.Process(), parent_process()
    while True:
        if parent is not None and not parent.is_alive():
            os._exit(0)  # nobody is left to take the outcome
        own = process.memory_info().rss
        if limit is None:
            memory = machine_memory()
            short = memory.available < SHORT * memory.total
            too_much = short and own > memory.total / (workers + 1)
        else:
            too_much = own > limit
        if too_much:
            os._exit(EXIT_OUT_OF_MEMORY)
        time.sleep(INTERVAL_S)


def _offer_to_kernel() -> None:
    """Ask the kernel to take a worker first, and not the run, if it must kill."""
    with suppress(OSError):  # another system than Linux
        Path("/proc/self/oom_score_adj").write_text("1000")
