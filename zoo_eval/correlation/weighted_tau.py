"""Weighted Kendall's τ, which counts the order among the best models more."""

from typing import Any

import numpy as np
from jaxtyping import Shaped
from scipy import stats


def weighted_tau(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]) -> float:
    """Vigna's weighted τ with additive hyperbolic weights, averaged over both rankings.

    A pair of models counts 1/(1 + r) + 1/(1 + s), where r and s are the ranks of its models and
    the largest value has rank 0. The statistic is computed twice, with ranks by (x, then y) and
    with ranks by (y, then x), and the two are averaged. This is `scipy.stats.weightedtau` with
    its defaults `rank=True`, `weigher=None`, `additive=True`, written out here so that another
    default would not change our numbers. Papers on transferability (LogME and after) use it.

    "Best" is the largest value of x as well as of y. For a score that falls with accuracy the
    models with the highest score therefore count most, although they are the worst.

    Returns:
        From -1 to 1; NaN if x or y is constant.

    References:
        Vigna, "A Weighted Correlation Index for Rankings with Ties", WWW 2015,
        https://arxiv.org/abs/1404.3325

    >>> round(weighted_tau(np.array([1, 2, 3, 4]), np.array([2, 1, 3, 4])), 6)
    0.813333
    """
    result: Any = stats.weightedtau(x, y, rank=True, weigher=None, additive=True)
    return float(result.statistic)
