"""Weighted Kendall's τ, which counts the order among the best models more."""

import math

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.correlation.concordance import Concordance


def weighted_tau(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]) -> float:
    """Vigna's weighted τ with additive hyperbolic weights, averaged over both rankings.

    A pair of models counts 1/(1 + r) + 1/(1 + s), where r and s are the ranks of its models and
    the largest value has rank 0. The statistic is computed twice, with ranks by (x, then y) and
    with ranks by (y, then x), and the two are averaged. This is `scipy.stats.weightedtau` with
    its defaults `rank=True`, `weigher=None`, `additive=True`; here its cost can be shared, see
    `weighted_tau_of`. Papers on transferability (LogME and after) use it.

    "Best" is the largest value of x as well as of y. For a score that falls with accuracy the
    models with the highest score therefore count most, although they are the worst.

    Returns:
        From -1 to 1; NaN if x or y is constant or holds a NaN (scipy takes it for the smallest).

    References:
        Vigna, "A Weighted Correlation Index for Rankings with Ties", WWW 2015,
        https://arxiv.org/abs/1404.3325

    >>> round(weighted_tau(np.array([1, 2, 3, 4]), np.array([2, 1, 3, 4])), 6)
    0.813333
    """
    if np.isnan(x).any() or np.isnan(y).any():
        return math.nan
    agreement = Concordance(y, np.zeros(len(y), np.intp))(x)
    return weighted_tau_of(agreement.of_models, x, y)


def weighted_tau_of(
    agreement: Int[np.ndarray, " n"], x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]
) -> float:
    """`weighted_tau` from each model's concordant less discordant pairs, cᵢ.

    As the weight of a pair is a sum hᵢ + hⱼ over its models, so is the weighted sum over pairs:
    Σᵢ hᵢcᵢ; and the weight of the pairs untied in x is Σᵢ hᵢuᵢ with uᵢ the models whose value
    differs from the i-th.
    """
    levels, alike = zip(*(_levels(values) for values in (x, y)), strict=True)
    untied = [len(x) - equals for equals in alike]
    taus: list[float] = []
    for first, second in (levels, levels[::-1]):
        weights = np.empty(len(x))
        # Models that are equal in both may come in any order: all that is weighted is equal too.
        order = np.argsort(first * len(x) + second)
        weights[order[::-1]] = 1 / np.arange(1, len(x) + 1)
        with np.errstate(invalid="ignore"):
            scale = np.sqrt((weights @ untied[0]) * (weights @ untied[1]))
            taus.append(float(weights @ agreement / scale))
    return (taus[0] + taus[1]) / 2


def _levels(
    x: Shaped[np.ndarray, " n"],
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Number of each model's value, upwards, and how many models have it, itself counted."""
    _, places, counts = np.unique(x, return_inverse=True, return_counts=True)
    return places, counts[places].astype(np.float64)
