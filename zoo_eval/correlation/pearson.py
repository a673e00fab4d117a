"""Pearson's r: how close score and accuracy lie to a line, and its value in every resample."""

import math

import numpy as np
from jaxtyping import Float, Shaped

from zoo_eval.correlation.resamples import Resamples

# A spread that is this small a part of the mean square is the rounding of a constant.
_ROUNDING = 1e-12


def pearson_r(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]) -> float:
    """Covariance over the product of the standard deviations.

    Unlike a rank correlation it changes when a score is put on another scale, its logarithm for
    example, and one outlying model can decide it.

    Returns:
        From -1 to 1; NaN if x or y is constant or has an infinite value.

    >>> round(pearson_r(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])), 6)
    0.8
    """
    a, b = _centred(x), _centred(y)
    scale = math.sqrt((a @ a) * (b @ b))
    return float(a @ b) / scale if scale else math.nan


def _centred(x: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Values less their mean, the largest of them 1 or -1: squares neither over- nor underflow.

    Zeros for a constant, NaN if a value is infinite.
    """
    if not np.isfinite(x).all():
        return np.full(len(x), np.nan)
    values = x / max(float(np.abs(x).max(initial=0)), np.finfo(np.float64).tiny)
    if (values == values[:1]).all():
        return np.zeros(len(x))
    values -= values.mean()
    return values / np.abs(values).max()


class PearsonBootstrap:
    """Pearson's r of a score with one accuracy, in all resamples at once.

    Sums of values, squares and products are taken once for each family; a resample is a weighted
    sum of them. The values are centred before, so that little cancels.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], resamples: Resamples) -> None:
        """Sum the accuracy in every resample.

        Args:
            truth: The accuracy, one value per model.
            resamples: Resamples of the same models.
        """
        self._families = resamples.families
        self._counts = resamples.counts
        self._truth = _centred(truth)
        self._total, self._truth_sum, squares = self._sums(
            np.ones(len(truth)), self._truth, self._truth**2
        )
        self._truth_spread = self._spread(squares, self._truth_sum)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """Pearson's r of the score in each resample; NaN where score or accuracy is constant."""
        values = _centred(score)
        of_score, products, squares = self._sums(values, values * self._truth, values**2)
        covariance = products - of_score * self._truth_sum / self._total
        scale = np.sqrt(self._spread(squares, of_score) * self._truth_spread)
        r = np.full(len(covariance), np.nan)
        np.divide(covariance, scale, out=r, where=scale > 0)
        return r

    def _sums(self, *values: Float[np.ndarray, " n"]) -> Float[np.ndarray, "values resamples"]:
        n_families = self._counts.shape[1]
        of_families = [np.bincount(self._families, each, n_families) for each in values]
        return np.stack(of_families) @ self._counts.T

    def _spread(
        self, squares: Float[np.ndarray, " resamples"], sums: Float[np.ndarray, " resamples"]
    ) -> Float[np.ndarray, " resamples"]:
        """Σ w (value - mean)² from Σ w value² and Σ w value; 0 for a constant."""
        spread = squares - sums**2 / self._total
        return np.where(spread > _ROUNDING * squares, spread, 0)
