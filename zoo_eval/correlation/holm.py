"""Holm's correction of p-values for having tested many scores."""

import numpy as np
from jaxtyping import Float


def holm(p_values: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Adjusted p-values: the smallest error rate, over all tests together, at which each passes.

    The k-th smallest of m values, k from 1, is multiplied by m - k + 1; then each is raised to
    the largest before it and cut off at 1. NaN (no test was made) stays NaN and does not count
    in m.

    References:
        Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979.

    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).round(6).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    adjusted = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted
