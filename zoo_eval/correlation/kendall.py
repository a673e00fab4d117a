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
    """Kendall's τ_b of a score with one accuracy, in all resamples at once.

    With sᵢⱼ = sign(xᵢ - xⱼ) and tᵢⱼ = sign(yᵢ - yⱼ), the τ_b of a resample with multiplicities w
    is Σ wᵢwⱼ sᵢⱼtᵢⱼ / √(Σ wᵢwⱼ sᵢⱼ² · Σ wᵢwⱼ tᵢⱼ²). Multiplicities are equal within a family, so
    the n x n matrix of pairs is first summed to one number per pair of families; what is left
    is one small matrix product for all resamples. The untied pairs are N² - Σ_values W², with
    N = Σ w and W the weight of the models of a value. All sums are of whole numbers, hence
    exact.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], resamples: Resamples) -> None:
        """Look at the ties of the accuracy in every resample.

        Args:
            truth: The accuracy, one value per model.
            resamples: Resamples of the same models.
        """
        self.concordance = Concordance(truth, resamples.families)
        self._counts = resamples.counts
        self._squares = ValueWeights(resamples, 2)
        self._pairs = (self._counts @ np.bincount(resamples.families)) ** 2
        self._truth_untied = self._untied(truth)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """τ_b of the score in each resample; NaN where score or accuracy is constant."""
        return self.from_agreement(self.concordance(score), score)

    def from_agreement(
        self, agreement: Agreement, score: Shaped[np.ndarray, " n"]
    ) -> Float[np.ndarray, " resamples"]:
        """The same from what `concordance` gave for the score, if that is at hand."""
        untied = self._untied(score)
        concordant = np.zeros(len(self._counts))
        # Strip by strip: where every model is a family, the whole in 64 bits is eight n x n bytes.
        for first in range(0, self._counts.shape[1], _STRIP):
            strip = slice(first, first + _STRIP)
            pairs = agreement.of_families[:, strip].astype(np.float64)
            concordant += np.einsum("rf,rf->r", self._counts @ pairs, self._counts[:, strip])
        defined = (untied > 0) & (self._truth_untied > 0)
        tau = np.full(len(concordant), np.nan)
        np.divide(concordant, np.sqrt(untied * self._truth_untied), out=tau, where=defined)
        return tau

    def _untied(self, x: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """Ordered pairs of models with different values, in each resample."""
        return self._pairs - self._squares(x)
