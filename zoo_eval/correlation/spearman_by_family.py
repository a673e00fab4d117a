"""Spearman's ρ in every resample, for models of not too many families."""

import numpy as np
from jaxtyping import Float, Int, Int32, Shaped

from zoo_eval.correlation.resamples import Resamples
from zoo_eval.correlation.value_weights import ValueWeights

# Whole numbers below this are exact in 32 bits, which multiply twice as fast as 64.
_EXACT = 2**24


class ByFamily:
    """Spearman's ρ of a score with one accuracy in all resamples, by a product of matrices.

    In a resample that holds family f c_f times, twice the midrank of a model is, but for a
    constant, Σ_f c_f Lᵢf, where Lᵢf counts the models of family f that are lower than the i-th
    twice and those equal to it once: L knows nothing of resamples. With u for w (rank - mean) of
    the accuracy, which sums to 0, N times the covariance of the ranks is Σᵢ uᵢ Σ_f c_f Lᵢf / 2.
    Models of one family with equal accuracy have the same u; their L are summed before. And
    Σ w (rank - mean)² is (N³ - Σ_values W³)/12 with N = Σ w and W the weight of the models that
    have a value. All sums are of multiples of 1/4, hence exact.

    One of these is for one thread at a time.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], resamples: Resamples) -> None:
        """Rank the accuracy in every resample.

        Args:
            truth: The accuracy, one value per model.
            resamples: Resamples of the same models.
        """
        self._families = resamples.families
        counts = np.ascontiguousarray(resamples.counts.T)
        total = np.bincount(self._families) @ counts
        self._cubes = ValueWeights(resamples, 3)
        self._total_cubed = total * total * total
        # Models by family and accuracy, and where each such group begins.
        values = np.unique(truth, return_inverse=True)[1]
        self._order = np.lexsort((values, self._families))
        pairs = np.stack([self._families, values])[:, self._order]
        new = (pairs[:, 1:] != pairs[:, :-1]).any(axis=0)
        self._starts = np.append(0, 1 + np.flatnonzero(new))
        if 2 * len(self._starts) > len(truth):  # summing would cost more than it saves
            self._starts = np.arange(len(truth))
        largest = np.diff(self._starts, append=len(truth)).max()
        exact = 2 * total.max(initial=0) * largest < _EXACT
        self._counts = counts.astype(np.float32 if exact else np.float64)
        self._ranks = np.empty((len(self._starts), counts.shape[1]), self._counts.dtype)
        self._rank(self._lower(truth)[:, self._starts])
        self._truth = self._ranks - total
        self._truth *= counts[pairs[0, self._starts]] / 2
        self._truth_spread = self._spread(truth)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """ρ of the score in each resample; NaN where score or accuracy is constant."""
        lower = self._lower(score)
        if len(self._starts) < len(score):
            lower = np.add.reduceat(lower, self._starts, axis=1)
        self._rank(lower)
        covariance = np.einsum("ir,ir->r", self._truth, self._ranks) / 2
        spread = self._spread(score)
        defined = (spread > 0) & (self._truth_spread > 0)
        rho = np.full(len(covariance), np.nan)
        np.divide(covariance, np.sqrt(spread * self._truth_spread), out=rho, where=defined)
        return rho

    def _lower(self, x: Shaped[np.ndarray, " n"]) -> Int32[np.ndarray, "families n"]:
        """L of each model, in the order of the groups."""
        distinct, values = np.unique(x, return_inverse=True)
        places = self._families * len(distinct) + values
        models = np.bincount(places, minlength=len(self._counts) * len(distinct)).astype(np.int32)
        models = models.reshape(len(self._counts), -1)
        lower: Int32[np.ndarray, "families values"] = models.cumsum(axis=1, dtype=np.int32)
        lower *= 2
        lower -= models
        return lower.take(values[self._order], axis=1)

    def _rank(self, lower: Int[np.ndarray, "families groups"]) -> None:
        """Twice the midranks, but for a constant; in memory that is kept, as new takes longer."""
        np.matmul(lower.T.astype(self._counts.dtype), self._counts, out=self._ranks)

    def _spread(self, x: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """Σ w (rank - mean)²."""
        return (self._total_cubed - self._cubes(x)) / 12
