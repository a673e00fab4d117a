"""Spearman's ρ in every resample, for models of any number of families."""

import numpy as np
from jaxtyping import Float, Shaped

from zoo_eval.correlation.resamples import Resamples
from zoo_eval.correlation.ties import Values, sum_of_powers


class ByModel:
    """Spearman's ρ of a score with one accuracy in all resamples, by a walk through the models.

    A resample with multiplicities w is the data with model i repeated wᵢ times. Its midrank of
    a value is B + (W + 1)/2, with W the weight of the models that have it and B that of all
    below, which one walk upwards through the values gives for all resamples. With u for
    w (rank - mean) of the accuracy, which sums to 0, N times the covariance of the ranks is
    Σ u (B + W/2) = Σ uB + Σ_values UW/2, U being the sum of u over the models of a value; and
    Σ w (rank - mean)² is (N³ - Σ_values W³)/12 with N = Σ w. All sums are of multiples of 1/4,
    hence exact.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], resamples: Resamples) -> None:
        """Rank the accuracy in every resample.

        Args:
            truth: The accuracy, one value per model.
            resamples: Resamples of the same models.
        """
        self._weights = resamples.weights()
        self._total = self._weights.sum(axis=0)
        self._cubes = sum_of_powers(self._weights, 3)
        of_family = list(np.ascontiguousarray(resamples.counts.T))
        self._weight_rows = [of_family[family] for family in resamples.families.tolist()]
        self._below = np.empty_like(self._weights)
        self._below_rows = list(self._below)
        values = Values(truth)
        members = self._weights[values.members]
        sums = values.sums(members)
        self._fill_below(values, sums)
        ranks = self._weights / 2
        ranks[values.members] = np.repeat(sums, values.sizes, axis=0) / 2
        ranks += self._below
        ranks -= self._total / 2
        ranks *= self._weights
        self._truth = ranks
        self._truth_spread = self._spread(members, sums)
        self._products = np.einsum("ir,ir->r", self._truth, self._weights)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """ρ of the score in each resample; NaN where score or accuracy is constant."""
        values = Values(score)
        truths, weights = self._truth[values.members], self._weights[values.members]
        sums = values.sums(weights)
        self._fill_below(values, sums)
        ties = np.einsum("ir,ir->r", values.sums(truths), sums)
        ties -= np.einsum("ir,ir->r", truths, weights)
        covariance = np.einsum("ir,ir->r", self._truth, self._below) + (self._products + ties) / 2
        spread = self._spread(weights, sums)
        defined = (spread > 0) & (self._truth_spread > 0)
        rho = np.full(len(covariance), np.nan)
        np.divide(covariance, np.sqrt(spread * self._truth_spread), out=rho, where=defined)
        return rho

    def _fill_below(self, values: Values, sums: Float[np.ndarray, "shared resamples"]) -> None:
        """Into each model's row of `_below`, the weight of the models of lower values."""
        tied = iter(sums)
        weight: Float[np.ndarray, " resamples"] = np.zeros_like(self._total)
        below = weight
        # One addition a value: a cumsum along the first axis takes several times as long.
        for first, shared in zip(values.firsts.tolist(), values.shared.tolist(), strict=True):
            below = np.add(below, weight, out=self._below_rows[first])
            weight = next(tied) if shared else self._weight_rows[first]
        of_first = self._below[values.firsts[values.shared]]
        self._below[values.members] = np.repeat(of_first, values.sizes, axis=0)

    def _spread(
        self,
        members: Float[np.ndarray, "members resamples"],
        sums: Float[np.ndarray, "shared resamples"],
    ) -> Float[np.ndarray, " resamples"]:
        """Σ w (rank - mean)² of a score, from the weights of its ties."""
        cubes = self._cubes - sum_of_powers(members, 3) + sum_of_powers(sums, 3)
        return (self._total**3 - cubes) / 12
