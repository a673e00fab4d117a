"""Partial Spearman correlation: what is left of ρ when another quantity is held fixed."""

import numpy as np
from jaxtyping import Float, Shaped

from zoo_eval.correlation.ties import midranks

# A score whose ranks are those of the controls leaves a residual of rounding errors only.
_NOTHING_LEFT = 1e-9


def partial_spearman(
    x: Shaped[np.ndarray, " n"],
    y: Shaped[np.ndarray, " n"],
    controls: Shaped[np.ndarray, "n k"],
) -> float:
    """Correlation of the ranks of x and y after a linear fit to the ranks of the controls.

    With one control z this is (ρ_xy - ρ_xz ρ_yz) / √((1 - ρ_xz²)(1 - ρ_yz²)). Ranks do not
    change under a logarithm: given parameters and given log parameters are the same.

    Args:
        x: The score, one value per model.
        y: The accuracy.
        controls: What is held fixed, one column each.

    Returns:
        From -1 to 1; NaN where the controls fix the order of x or y completely, as parameters
        fix their own.

    >>> size = np.array([[1], [2], [3], [4]])
    >>> round(partial_spearman(np.array([1, 2, 4, 3]), np.array([2, 1, 4, 3]), size), 6)
    0.666667
    >>> partial_spearman(size[:, 0], np.array([2, 1, 4, 3]), size)
    nan
    """
    ranks = midranks(np.column_stack([controls, y, x]).T).T
    return float(partial_of_ranks(ranks[:, -1:], ranks[:, -2], ranks[:, :-2])[0])


def partial_of_ranks(
    x: Float[np.ndarray, "n scores"],
    y: Float[np.ndarray, " n"],
    controls: Float[np.ndarray, "n k"],
) -> Float[np.ndarray, " scores"]:
    """The same for many scores at once, from their ranks, those of y and of the controls."""
    ranks = np.column_stack([y, x])
    ranks -= ranks.mean(axis=0)
    held = controls - controls.mean(axis=0)
    residuals = ranks - held @ np.linalg.lstsq(held, ranks, rcond=None)[0]
    left, before = np.linalg.norm(residuals, axis=0), np.linalg.norm(ranks, axis=0)
    nothing_left = left <= _NOTHING_LEFT * before
    left[nothing_left] = np.nan
    return residuals[:, 0] @ residuals[:, 1:] / (left[0] * left[1:])
