"""Spearman's ρ: the correlation of midranks, and its value in every bootstrap resample."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy import stats

from zoo_eval.correlation.resamples import Resamples, group_weights


def spearman_rho(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]) -> float:
    """Pearson correlation of the ranks, where equal values share the mean of their ranks.

    Returns:
        From -1 (opposite order) to 1 (same order); NaN if x or y is constant.

    >>> round(spearman_rho(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])), 6)
    0.8
    """
    a, b = _centred_ranks(x), _centred_ranks(y)
    with np.errstate(invalid="ignore"):
        return float((a @ b) / np.sqrt((a @ a) * (b @ b)))


def spearman_p_value(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]) -> float:
    """Two-sided p-value of ρ = 0, from the t distribution with n - 2 degrees of freedom.

    It takes the models as independent, which models of one family are not, and is therefore
    too small on a zoo; the interval clustered by family is the more careful statement.
    """
    result: Any = stats.spearmanr(x, y)
    return float(result.pvalue)


def _centred_ranks(x: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    return stats.rankdata(x) - (len(x) + 1) / 2


class SpearmanBootstrap:
    """Spearman's ρ of a score with one accuracy, in all resamples at once.

    A resample with multiplicities w is the data with model i repeated wᵢ times. Its midrank of
    a value is Σ_{x_j < x_i} w_j + (Σ_{x_j = x_i} w_j + 1)/2, which one sort and a cumulative sum
    give for all resamples; Σ w (rank - mean)² is (N³ - Σ_groups W³)/12 with N = Σ w and W the
    weight of a group of equal values. All sums are of multiples of 1/4, hence exact.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], resamples: Resamples) -> None:
        """Rank the accuracy in every resample.

        Args:
            truth: The accuracy, one value per model.
            resamples: Resamples of the same models.
        """
        self._weights = resamples.weights()
        self._total = self._weights.sum(axis=0)
        ranks, groups, self._truth_spread = self._ranks(truth)
        self._weighted_truth = self._weights * (ranks[groups] - (self._total + 1) / 2)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """ρ of the score in each resample; NaN where score or accuracy is constant."""
        ranks, groups, spread = self._ranks(score)
        # Σ w (truth rank - mean) is 0, so the score's ranks need not be centred.
        covariance = np.einsum("ir,ir->r", ranks[groups], self._weighted_truth)
        defined = (spread > 0) & (self._truth_spread > 0)
        rho = np.full(len(covariance), np.nan)
        np.divide(covariance, np.sqrt(spread * self._truth_spread), out=rho, where=defined)
        return rho

    def _ranks(
        self, x: Shaped[np.ndarray, " n"]
    ) -> tuple[
        Float[np.ndarray, "groups resamples"],
        Int[np.ndarray, " n"],
        Float[np.ndarray, " resamples"],
    ]:
        """Midrank of each distinct value, which value each model has, and Σ w (rank - mean)²."""
        groups, weights = group_weights(x, self._weights)
        ranks = np.cumsum(weights, axis=0) - (weights - 1) / 2
        spread = (self._total**3 - np.einsum("gr,gr,gr->r", weights, weights, weights)) / 12
        return ranks, groups, spread
