"""How many of the probe images pass a network together.

The number of probe images is part of a score's definition and never shrinks; where memory is
short they pass in more and smaller parts.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_DIVISOR = ContextVar("divisor", default=1)


def part_of(usual: int) -> int:
    """Images in a part: as many as usual, or fewer where memory was short."""
    return max(1, usual // _DIVISOR.get())


@contextmanager
def smaller_parts(divisor: int) -> Generator[None]:
    """Within this context, parts are smaller by this factor."""
    token = _DIVISOR.set(divisor)
    try:
        yield
    finally:
        _DIVISOR.reset(token)
