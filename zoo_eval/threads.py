"""Work shared between threads, as many as torch may take.

NumPy sorts, partitions and takes roots on one core, but lets go of Python's lock meanwhile. So a
large matrix is handled some rows at a time, few enough that what is made of them stays in the
cache, and each thread takes the next rows when it is done with its own. BLAS gets one thread in
each: its own would only get into their way, as they go on spinning for some 100 ms after a product.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")

_ENTRIES_AT_A_TIME = 2**17  # of a matrix, 1 MB in float64

_this_thread = threading.local()


def free_threads() -> int:
    """How many threads `in_threads` may take here; one within a thread that it has made."""
    if hasattr(_this_thread, "is_one_of_several"):
        return 1
    import torch  # here: programs that compute nothing read quantities, too, and it takes seconds

    return torch.get_num_threads()


def in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The function of each item, in order."""
    items = list(items)
    n_threads = min(free_threads(), len(items))
    if n_threads < 2:
        return [function(item) for item in items]
    with (
        one_blas_thread(),
        ThreadPoolExecutor(n_threads, initializer=_is_one_of_several) as threads,
    ):
        return list(threads.map(function, items))


def one_blas_thread() -> AbstractContextManager[object]:
    """Within, BLAS takes one thread: for small products between calls of `in_threads`.

    Else BLAS's own threads, spinning after such a product, would take a core from the next call.
    """
    return _blas().limit(limits=1)


def row_blocks(n_rows: int, n_columns: int) -> list[slice]:
    """Slices that cut the rows of a matrix into blocks which fit into the cache."""
    step = max(1, _ENTRIES_AT_A_TIME // n_columns)
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def _is_one_of_several() -> None:
    _this_thread.is_one_of_several = True


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")
