"""Kendall's τ_b: concordant against discordant pairs, and its value in every resample."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.correlation.concordance import Agreement, Concordance
from zoo_eval.correlation.resamples import Resamples
from zoo_eval.correlation.value_weights import ValueWeights

_STRIP = 1024  # families


def kendall_tau(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]) -> float:
    """τ_b = (concordant - discordant) / √(pairs untied in x · pairs untied in y).

    Returns:
        From -1 to 1; NaN if x or y is constant.

    >>> round(kendall_tau(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])), 6)
    0.666667
    """
    # scipy.stats takes most of a second to import, and a report does without.
    from scipy import stats

    result: Any = stats.kendalltau(x, y, variant="b")
    return float(result.statistic)


def kendall_tau_of(
    agreement: Int[np.ndarray, " n"], x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]
) -> float:
    """The same from each model's concordant less discordant pairs; NaN if x or y is constant."""
    counts = [np.unique(values, return_counts=True)[1] for values in (x, y)]
    untied = [float(len(x) ** 2 - (count**2).sum()) for count in counts]
    scale = math.sqrt(untied[0] * untied[1])
    return float(agreement.sum()) / scale if scale else math.nan


class KendallBootstrap:
    """Kendall's τ_b of a score with an accuracy, or each of several, in all resamples at once.

    With sᵢⱼ = sign(xᵢ - xⱼ) and tᵢⱼ = sign(yᵢ - yⱼ), the τ_b of a resample with multiplicities w
    is Σ wᵢwⱼ sᵢⱼtᵢⱼ / √(Σ wᵢwⱼ sᵢⱼ² · Σ wᵢwⱼ tᵢⱼ²). Multiplicities are equal within a family, so
    the n x n matrix of pairs is first summed to one number per pair of families; what is left
    is one small matrix product for all resamples. The untied pairs are N² - Σ_values W², with
    N = Σ w and W the weight of the models of a value. All sums are of whole numbers, hence
    exact.
    """

    def __init__(self, truths: Shaped[np.ndarray, "*truths n"], resamples: Resamples) -> None:
        """Look at the ties of the accuracies in every resample.

        Args:
            truths: The accuracy, one value per model, or several, one per row.
            resamples: Resamples of the same models.
        """
        self.concordance = Concordance(truths, resamples.families)
        self._counts = resamples.counts
        self._squares = ValueWeights(resamples, 2)
        self._pairs = (self._counts @ np.bincount(resamples.families)) ** 2
        self._shape = truths.shape[:-1]
        each = truths.reshape(-1, truths.shape[-1])
        self._truths_untied = np.stack([self._untied(truth) for truth in each])

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, "*truths resamples"]:
        """τ_b of the score in each resample; NaN where score or accuracy is constant."""
        return self.from_agreement(self.concordance(score), score)

    def from_agreement(
        self, agreement: Agreement, score: Shaped[np.ndarray, " n"]
    ) -> Float[np.ndarray, "*truths resamples"]:
        """The same from what `concordance` gave for the score, if that is at hand."""
        n_families = self._counts.shape[1]
        of_families = agreement.of_families.reshape(-1, n_families, n_families)
        concordant = np.zeros_like(self._truths_untied)
        # Strip by strip: where every model is a family, the whole in 64 bits is eight n x n bytes.
        for first in range(0, n_families, _STRIP):
            strip = slice(first, first + _STRIP)
            for total, pairs in zip(concordant, of_families[:, :, strip], strict=True):
                weighted = self._counts @ pairs.astype(np.float64)
                total += np.einsum("rf,rf->r", weighted, self._counts[:, strip])
        scale = np.sqrt(self._untied(score) * self._truths_untied)
        tau = np.full(concordant.shape, np.nan)
        np.divide(concordant, scale, out=tau, where=scale > 0)
        return tau.reshape(*self._shape, len(self._counts))

    def _untied(self, x: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """Ordered pairs of models with different values, in each resample."""
        return self._pairs - self._squares(x)
