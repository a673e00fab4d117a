"""How much of a score's variance lies between models, and not between seeds of one model."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import special


class Intraclass(NamedTuple):
    """An intraclass correlation with its 95 % interval; NaN where it is undefined."""

    icc: float = math.nan
    low: float = math.nan
    high: float = math.nan


def intraclass_correlation(values: Float[np.ndarray, "models seeds"]) -> Intraclass:
    """ICC(1) = var_models / (var_models + var_seeds), by one-way analysis of variance.

    With k models of n values, M_b = n Σ (x̄ᵢ − x̄)² / (k − 1) and
    M_w = Σ (xᵢⱼ − x̄ᵢ)² / k(n − 1), the estimates are var_seeds = M_w and
    var_models = (M_b − M_w) / n, so that ICC(1) = (M_b − M_w) / (M_b + (n − 1) M_w). The interval
    is exact where seeds and models are normal: with F = M_b / M_w and F′ that over, or times, the
    97.5 % point of its distribution, an end is (F′ − 1) / (F′ + n − 1).

    Models with other numbers of values: n is (N − Σ nᵢ² / N) / (k − 1) with N values in all, and
    the interval is not exact. Models without a value take no part.

    Args:
        values: NaN where a model has no value at a seed.

    Returns:
        From −1 / (n − 1) to 1: 1 if seeds do not matter, about 0 if nothing else does. NaN if no
        model has two values, there are fewer than two models, or all values are equal.

    References:
        Shrout and Fleiss, "Intraclass Correlations", Psychological Bulletin 1979 (case 1).
        Searle, "Linear Models", 1971 (unequal numbers).

    >>> intraclass_correlation(np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    Intraclass(icc=1.0, low=1.0, high=1.0)
    """
    values = values[~np.isnan(values).all(axis=1)]
    sizes = np.sum(~np.isnan(values), axis=1)
    k, total = len(values), int(sizes.sum())
    if k < 2 or total == k:
        return Intraclass()
    means = np.nanmean(values, axis=1)
    grand = np.average(means, weights=sizes)
    between = float(np.sum(sizes * (means - grand) ** 2)) / (k - 1)
    within = float(np.nansum((values - means[:, None]) ** 2)) / (total - k)
    n = (total - float(np.sum(sizes**2)) / total) / (k - 1)
    if within == 0:
        return Intraclass(1.0, 1.0, 1.0) if between else Intraclass()
    ratio = between / within
    freedom = (k - 1, total - k)
    low = ratio / float(special.fdtri(*freedom, 0.975))
    high = ratio * float(special.fdtri(*freedom[::-1], 0.975))
    return Intraclass(*((f - 1) / (f + n - 1) for f in (ratio, low, high)))
