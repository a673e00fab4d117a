"""Partial Kendall correlation: what is left of τ_b when other quantities are held fixed."""

import numpy as np
from jaxtyping import Shaped

from zoo_eval.correlation.kendall import kendall_tau
from zoo_eval.correlation.partial_of_correlations import partial_of_correlations


def partial_kendall(
    x: Shaped[np.ndarray, " n"],
    y: Shaped[np.ndarray, " n"],
    controls: Shaped[np.ndarray, "n k"],
) -> float:
    """Kendall's partial τ: the partial correlation of the signs of all pairs' differences.

    With one control z this is Kendall's (τ_xy - τ_xz τ_yz) / √((1 - τ_xz²)(1 - τ_yz²)), with τ_b
    for every τ; with several, the same from the matrix of all τ_b, which is the matrix of
    correlations of the signs. Unlike a partial ρ it need not be 0 where x and y depend on z only:
    signs follow signs with noise. A logarithm of a control changes nothing.

    Args:
        x: The score, one value per model.
        y: The accuracy.
        controls: What is held fixed, one column each.

    Returns:
        From -1 to 1; NaN where the controls fix the order of x or y completely, or one of all
        is constant.

    References:
        Kendall, "Partial Rank Correlation", 1942.

    >>> size = np.array([[1], [2], [3], [4]])
    >>> round(partial_kendall(np.array([1, 2, 4, 3]), np.array([2, 1, 4, 3]), size), 6)
    0.632456
    """
    columns = [*controls.T, x, y]
    matrix = np.eye(len(columns))
    for i, first in enumerate(columns):
        for j, second in enumerate(columns[:i]):
            matrix[i, j] = matrix[j, i] = kendall_tau(first, second)
    return float(partial_of_correlations(matrix))
