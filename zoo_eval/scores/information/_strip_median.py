"""Median of the distances of many images, without an array of all pairs to sort."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

_PRECISION = 1e-6  # relative; float32 gives no more


def median_of_pairs(strips: Sequence[Float[np.ndarray, "_ _"]], n: int, rounding: float) -> float:
    """Median distance of two different images, by bisection.

    As usual, of an even number of pairs it is the mean of the two in the middle.

    Args:
        strips: Rows of the upper triangle of the matrix of distances, each from the diagonal on;
            the square block at the start of each is whole and symmetric, its diagonal 0.
        n: Number of images.
        rounding: Distances up to this are 0.
    """
    n_pairs = n * (n - 1) // 2
    if n_pairs == 0:
        return 0.0
    low, high = rounding, rounding
    if _pairs_within(strips, rounding) < (n_pairs + 1) // 2:
        high = max(float(strip.max()) for strip in strips)
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        if _pairs_within(strips, middle) < (n_pairs + 1) // 2:
            low = middle
        else:
            high = middle
    lower = 0.0 if high == rounding else (low + high) / 2
    if _pairs_within(strips, high) > n_pairs // 2:
        return lower
    upper = min(float(np.min(s, where=s > high, initial=np.inf)) for s in strips)
    return (lower + upper) / 2


def _pairs_within(strips: Sequence[Float[np.ndarray, "_ _"]], distance: float) -> int:
    """How many pairs of different images are no further apart."""
    pairs = 0
    for strip in strips:
        n_rows = len(strip)
        block = int(np.count_nonzero(strip[:, :n_rows] <= distance))
        rest = int(np.count_nonzero(strip[:, n_rows:] <= distance))
        pairs += (block - n_rows) // 2 + rest  # the square block holds each pair twice
    return pairs
