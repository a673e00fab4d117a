"""Prediction intervals for models of a family that was not seen: CV+ by family."""

import numpy as np
from jaxtyping import Float, Int

# A sum of weights that misses the level by rounding reaches it.
_ROUNDING = 1e-9


def cv_plus_intervals(
    predictions: Float[np.ndarray, "train test"],
    residuals: Float[np.ndarray, " train"],
    families: Int[np.ndarray, " train"],
    level: float,
) -> tuple[Float[np.ndarray, " test"], Float[np.ndarray, " test"]]:
    """Intervals from how far off models were whose family was held out.

    Training model i has the residual Rᵢ = |yᵢ - ŷ₋ᵢ(xᵢ)|, with ŷ₋ᵢ fitted without the fold of
    families that it is in. The interval of a new model x reaches from the lower quantile of
    ŷ₋ᵢ(x) - Rᵢ to the upper one of ŷ₋ᵢ(x) + Rᵢ. The models of one family err alike, so what can be
    exchanged are families: each of the K families has the weight 1/(K + 1), shared evenly by
    its models, and the new family has as much, at infinity.

    For a model of a new family, drawn like these, the coverage is at least 1 - 2(1 - level) less
    a term that vanishes with the number of families, whatever the predictor; in practice it is
    near the level.

    Args:
        predictions: ŷ₋ᵢ(x) for each training model and each new one.
        residuals: R.
        families: Family of each training model, numbered from 0, none left out.
        level: From 0 to 1.

    Returns:
        Lower and upper ends; infinite if there are too few families for the level: K must reach
        level/(1 - level), 9 for 90 %.

    References:
        Barber et al., "Predictive Inference with the Jackknife+", 2021,
        https://arxiv.org/abs/1905.02928
        Lee, Barber and Willett, "Distribution-free Inference with Hierarchical Data", 2023,
        https://arxiv.org/abs/2306.06342
    """
    sizes = np.bincount(families)
    weights = 1 / ((len(sizes) + 1) * sizes[families])
    high = _upper(predictions + residuals[:, None], weights, level)
    return -_upper(residuals[:, None] - predictions, weights, level), high


def _upper(
    values: Float[np.ndarray, "train test"], weights: Float[np.ndarray, " train"], level: float
) -> Float[np.ndarray, " test"]:
    """The least value that, with those below it, has so much of the weight; else infinity."""
    order = np.argsort(values, axis=0)
    reached = np.cumsum(weights[order], axis=0) >= level - _ROUNDING
    least = order[reached.argmax(axis=0), np.arange(values.shape[1])]
    found = values[least, np.arange(values.shape[1])]
    return np.where(reached[-1], found, np.inf)
