"""Kinds of failures of a network, as the store writes them."""

from zoo_eval.errors import DownloadError, ModelError, NotFiniteError


def failure_of(error: BaseException) -> str:
    """The type of a failure, as the store writes it.

    `out_of_memory`, `download` (that may heal), `load` (the network cannot be built), `nan` (its
    outputs are), or `error`. Executors know two more: `timeout` and `killed`.
    """
    if _is_out_of_memory(error):
        return "out_of_memory"
    if isinstance(error, DownloadError) and error.heals:
        return "download"
    if isinstance(error, ModelError):
        return "load"
    return "nan" if isinstance(error, NotFiniteError) else "error"


def _is_out_of_memory(error: BaseException) -> bool:
    # torch has an exception of its own for GPUs; its processor's allocator raises RuntimeError.
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
        # A constructor or loader may have wrapped it.
        or (error.__cause__ is not None and _is_out_of_memory(error.__cause__))
    )
