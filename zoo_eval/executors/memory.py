"""Gives memory back to the system between networks, and says how much there is."""

import ctypes
import gc
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

# Of malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
CGROUP = Path("/sys/fs/cgroup")  # of this process's container, version 2


class Memory(NamedTuple):
    """Bytes that this machine, or the container that we are in, has and has free."""

    total: int
    available: int


def machine_memory(cgroup: Path = CGROUP) -> Memory:
    """What there is for all processes here. A container's limit counts, which psutil ignores."""
    machine = psutil.virtual_memory()
    found = Memory(machine.total, machine.available)
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
        statistics = dict(
            line.split() for line in (cgroup / "memory.stat").read_text().splitlines()
        )
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return found
    # Files that were read count as used, but go first when memory is short.
    free = limit - used + int(statistics.get("inactive_file", 0))
    return Memory(min(found.total, limit), max(0, min(found.available, free)))


def peak_memory() -> int:
    """Most bytes that this process has had so far."""
    try:
        # Not ru_maxrss, which Linux lets begin at the parent's size when it forked.
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    return 1024 * int(found[1]) if found else psutil.Process().memory_info().rss


def settle() -> None:
    """Call when all is imported: the collector then leaves modules alone, in 5 ms, not 280."""
    gc.collect()
    gc.freeze()


def keep_freed() -> None:
    """Let this process keep what it frees until `give_back`, for the next layer to use again.

    The C library takes large blocks from the system, one for each tensor, and returns each at
    once; the system then zeroes every page again, on one core. A forward pass of ResNet-50 over 16
    images takes half as long without that, a backward pass three quarters.
    """
    if (set_option := _of_c_library("mallopt")) is not None:
        set_option(_MMAP_THRESHOLD, 2**30)
        set_option(_TRIM_THRESHOLD, 2**31 - 1)
        set_option(_TOP_PAD, 2**26)


def give_back() -> None:
    """Free what is garbage, and let the allocators return what they keep for later.

    Networks are full of reference cycles (hooks, parents), so they wait for the collector. And
    what is freed in small pieces stays with the process: without this, a worker that has seen
    some large networks is gigabytes large for the rest of the run.
    """
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if (trim := _of_c_library("malloc_trim")) is not None:
        trim(0)


def _of_c_library(name: str) -> Callable[..., int] | None:
    """A function that glibc has, and other C libraries have not."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
