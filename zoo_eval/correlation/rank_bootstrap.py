"""Spearman's ρ in every resample, from midranks in every resample."""

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.correlation.resamples import Resamples
from zoo_eval.correlation.value_weights import ValueWeights

# Whole numbers below this are exact in 32 bits, which take half the time of 64.
_EXACT = 2**24


class RankBootstrap(ABC):
    """Spearman's ρ of a score with an accuracy, or each of several, in all resamples at once.

    A resample with multiplicities w is the data with model i repeated wᵢ times. With u for
    w (rank - mean) of an accuracy, which sums to 0, N times the covariance of the ranks is
    Σᵢ uᵢ rankᵢ; and Σ w (rank - mean)² is (N³ - Σ_values W³)/12 with N = Σ w and W the weight of
    the models that have a value. All sums are of whole numbers, for ranks are taken twice, hence
    exact.

    One of these is for one thread at a time.
    """

    def __init__(
        self,
        truths: Shaped[np.ndarray, "*truths n"],
        resamples: Resamples,
        firsts: Int[np.ndarray, " groups"],
        largest: int,
    ) -> None:
        """Rank the accuracies in every resample.

        Args:
            truths: The accuracy, one value per model, or several, one per row.
            resamples: Resamples of the same models.
            firsts: A model of each group, whose models are of one family and alike in the
                accuracies; the ranks of a score are summed over them.
            largest: Models of the largest group.
        """
        counts = resamples.by_family
        total = np.bincount(resamples.families) @ counts
        exact = 4 * total.max(initial=0) * max(largest, counts.max(initial=0)) < _EXACT
        self._counts = counts.astype(np.float32) if exact else counts
        self._families = resamples.families
        self._cubes = ValueWeights(resamples, 3)
        self._total_cubed = total * total * total
        self._shape = truths.shape[:-1]
        # Memory that is kept, as new takes longer to come by than to fill.
        self._ranks = np.empty((len(firsts), len(total)), self._counts.dtype)
        each = truths.reshape(-1, truths.shape[-1])
        self._truths = np.empty((len(each), *self._ranks.shape), self._counts.dtype)
        for truth, u in zip(each, self._truths, strict=True):
            self._rank_firsts(truth)
            np.subtract(self._ranks, total.astype(u.dtype), out=u)
            u *= self._counts[self._families[firsts]]
        self._truth_spreads = np.stack([self._spread(truth) for truth in each])

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, "*truths resamples"]:
        """ρ of the score in each resample; NaN where score or accuracy is constant."""
        self._rank(score)
        covariances = np.stack(
            [np.einsum("gr,gr->r", u, self._ranks, dtype=np.float64) / 4 for u in self._truths]
        )
        scale = np.sqrt(self._spread(score) * self._truth_spreads)
        rho = np.full(scale.shape, np.nan)
        np.divide(covariances, scale, out=rho, where=scale > 0)
        return rho.reshape(*self._shape, -1)

    @abstractmethod
    def _rank(self, x: Shaped[np.ndarray, " n"]) -> None:
        """Into `_ranks` twice the midranks but for a constant, summed over groups of models."""

    @abstractmethod
    def _rank_firsts(self, x: Shaped[np.ndarray, " n"]) -> None:
        """Into `_ranks` twice the midranks of the first of each group."""

    def _spread(self, x: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """Σ w (rank - mean)²."""
        return (self._total_cubed - self._cubes(x)) / 12
