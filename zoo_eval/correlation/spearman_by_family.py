"""Spearman's ρ in every resample, for models of not too many families."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.correlation.resamples import Resamples


class ByFamily:
    """Spearman's ρ of a score with one accuracy in all resamples, as one product of matrices.

    In a resample that holds family f c_f times, twice the midrank of a model is, but for a
    constant, Σ_f c_f Lᵢf, where Lᵢf counts the models of family f that are lower than the i-th
    twice and those equal to it once: L knows nothing of resamples. With u for w (rank - mean) of
    the accuracy, which sums to 0, N times the covariance of the ranks is Σ_f c_f Σᵢ uᵢ Lᵢf / 2.
    Models of one family with equal accuracy have the same u; their L are summed before. And
    Σ w (rank - mean)² is (N³ - Σ_values W³)/12 with N = Σ w and W the weight of the models that
    have a value. All sums are of multiples of 1/4, hence exact.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], resamples: Resamples) -> None:
        """Rank the accuracy in every resample.

        Args:
            truth: The accuracy, one value per model.
            resamples: Resamples of the same models.
        """
        self._families = resamples.families
        self._counts = np.ascontiguousarray(resamples.counts.T)
        self._cubes = self._counts**3
        self._total = np.bincount(self._families) @ self._counts
        values = _Values(truth, self._families, len(self._counts))
        # Models by family and accuracy, and where each such group begins.
        self._order = np.lexsort((values.of_models, self._families))
        pairs = np.stack([self._families, values.of_models])[:, self._order]
        new = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
        self._starts = np.append(0, 1 + np.flatnonzero(new))
        if 2 * len(self._starts) > len(truth):  # summing would cost more than it saves
            self._starts = np.arange(len(truth))
        family, value = pairs[:, self._starts]
        self._truth = values.lower.T[value].astype(np.float64) @ self._counts
        self._truth -= self._total
        self._truth *= self._counts[family] / 2
        self._truth_spread = self._spread(values)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """ρ of the score in each resample; NaN where score or accuracy is constant."""
        values = _Values(score, self._families, len(self._counts))
        lower = values.lower[:, values.of_models[self._order]]
        if len(self._starts) < len(score):
            lower = np.add.reduceat(lower, self._starts, axis=1)
        sums = lower.astype(np.float64) @ self._truth
        covariance = np.einsum("fr,fr->r", sums, self._counts) / 2
        spread = self._spread(values)
        defined = (spread > 0) & (self._truth_spread > 0)
        rho = np.full(len(covariance), np.nan)
        np.divide(covariance, np.sqrt(spread * self._truth_spread), out=rho, where=defined)
        return rho

    def _spread(self, values: "_Values") -> Float[np.ndarray, " resamples"]:
        """Σ w (rank - mean)² of a score."""
        tied = values.models[:, values.shared]
        alone = values.models[:, ~values.shared].sum(axis=1)
        weights = tied.T.astype(np.float64) @ self._counts
        cubes = alone @ self._cubes + np.einsum("vr,vr,vr->r", weights, weights, weights)
        return (self._total**3 - cubes) / 12


class _Values:
    """The distinct values of a score, upwards, and the families that have them.

    Attributes:
        of_models: Number of the value of each model.
        models: Models by family and value.
        shared: Which values several models have.
        lower: Twice the models of each family with a lower value, and once those with this one.
    """

    def __init__(
        self, x: Shaped[np.ndarray, " n"], families: Int[np.ndarray, " n"], n_families: int
    ) -> None:
        distinct, self.of_models = np.unique(x, return_inverse=True)
        places = families * len(distinct) + self.of_models
        counts = np.bincount(places, minlength=n_families * len(distinct))
        self.models: Int[np.ndarray, "families values"] = counts.reshape(n_families, -1)
        self.shared = self.models.sum(axis=0) > 1
        self.lower: Int[np.ndarray, "families values"] = self.models.cumsum(axis=1)
        self.lower *= 2
        self.lower -= self.models
