"""Gives memory back to the system between networks, and says how much there is."""

import ctypes
import gc
import re
import sys
from pathlib import Path
from typing import NamedTuple

import psutil

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
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)
