"""Kendall's τ_b: concordant against discordant pairs, and its value in every resample."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int, Int8, Shaped
from scipy import stats

from zoo_eval.correlation.resamples import Resamples, group_weights


def kendall_tau(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]) -> float:
    """τ_b = (concordant - discordant) / √(pairs untied in x · pairs untied in y).

    Returns:
        From -1 to 1; NaN if x or y is constant.

    >>> round(kendall_tau(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])), 6)
    0.666667
    """
    result: Any = stats.kendalltau(x, y, variant="b")
    return float(result.statistic)


class KendallBootstrap:
    """Kendall's τ_b of a score with one accuracy, in all resamples at once.

    With sᵢⱼ = sign(xᵢ - xⱼ) and tᵢⱼ = sign(yᵢ - yⱼ), the τ_b of a resample with multiplicities w
    is Σ wᵢwⱼ sᵢⱼtᵢⱼ / √(Σ wᵢwⱼ sᵢⱼ² · Σ wᵢwⱼ tᵢⱼ²). Multiplicities are equal within a family, so
    the n x n matrix of pairs is first summed to one number per pair of families; what is left
    is one small matrix product for all resamples. The untied pairs are N² - Σ_groups W², with
    N = Σ w and W the weight of a group of equal values. All sums are of whole numbers, hence
    exact.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], resamples: Resamples) -> None:
        """Compare the accuracies of all pairs of models.

        Args:
            truth: The accuracy, one value per model.
            resamples: Resamples of the same models. Memory grows with n² (1 byte a pair).
        """
        self._order = np.argsort(resamples.families, kind="stable")
        sizes = np.bincount(resamples.families)
        self._starts = np.cumsum(sizes) - sizes
        self._counts = resamples.counts
        self._truth_signs = self._signs(truth)
        self._weights = resamples.weights()
        self._pairs = self._weights.sum(axis=0) ** 2
        self._truth_untied = self._untied(truth)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """τ_b of the score in each resample; NaN where score or accuracy is constant."""
        untied = self._untied(score)
        concordant = self._concordant(self._signs(score) * self._truth_signs)
        defined = (untied > 0) & (self._truth_untied > 0)
        tau = np.full(len(concordant), np.nan)
        np.divide(concordant, np.sqrt(untied * self._truth_untied), out=tau, where=defined)
        return tau

    def _signs(self, x: Shaped[np.ndarray, " n"]) -> Int8[np.ndarray, "n n"]:
        """Signs of all differences, models sorted by family; comparing bears infinities."""
        x = x[self._order]
        above = x[:, None] > x[None, :]
        return above.view(np.int8) - above.T.view(np.int8)

    def _untied(self, x: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """Ordered pairs of models with different values, in each resample."""
        _, weights = group_weights(x, self._weights)
        return self._pairs - np.einsum("gr,gr->r", weights, weights)

    def _concordant(self, pairs: Int8[np.ndarray, "n n"]) -> Float[np.ndarray, " resamples"]:
        """Σ wᵢwⱼ sᵢⱼtᵢⱼ in each resample."""
        by_family = family_sums(pairs, self._starts).astype(np.float64)
        return np.einsum("rf,rf->r", self._counts @ by_family, self._counts)


def family_sums(
    pairs: Int8[np.ndarray, "n n"], starts: Int[np.ndarray, " families"]
) -> Int[np.ndarray, "families families"]:
    """Sums over blocks of rows and columns that begin at `starts`."""
    if len(starts) == len(pairs):
        return pairs.astype(np.int64)
    rows = np.add.reduceat(pairs, starts, axis=0, dtype=np.int64)
    return np.add.reduceat(rows, starts, axis=1)
