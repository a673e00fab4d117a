"""Share of images that a classifier gets right, whatever the order of the classes."""

import numpy as np
from jaxtyping import Float, Int

_ROUNDING = 1e-12  # of the largest number that was added up: sums this close are equal


def share_right(
    scores: Float[np.ndarray, "n classes"],
    ids: Int[np.ndarray, " n"],
    magnitude: Float[np.ndarray, " n"],
) -> float:
    """Mean over images of 1/m if the right class is one of the m with the highest score.

    1/m is the chance of guessing the right one of m. `argmax` would take the first class of a
    tie, and the result would depend on how the classes are numbered.

    Args:
        scores: One row per image; −inf for a class that cannot be taken.
        ids: The right class of each image.
        magnitude: Size of the numbers whose rounding the scores of each image carry.
    """
    limit = scores.max(axis=1) - _ROUNDING * magnitude
    winners = scores >= limit[:, None]
    return float(np.mean(winners[np.arange(len(ids)), ids] / winners.sum(axis=1)))
