"""Gives memory back to the system between networks."""

import ctypes
import gc
import sys


def settle() -> None:
    """Call when all is imported: the collector then leaves modules alone, in 5 ms, not 280."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Free what is garbage, and let glibc return what it keeps for later.

    Networks are full of reference cycles (hooks, parents), so they wait for the collector. And
    what is freed in small pieces stays with the process: without this, a worker that has seen
    some large networks is gigabytes large for the rest of the run.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)
