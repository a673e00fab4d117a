"""Spearman's ρ in every resample, for models of not too many families."""

import numpy as np
from jaxtyping import Int, Int32, Shaped

from zoo_eval.correlation.rank_bootstrap import RankBootstrap
from zoo_eval.correlation.resamples import Resamples


class ByFamily(RankBootstrap):
    """Ranks in all resamples as one product of matrices.

    In a resample that holds family f c_f times, twice the midrank of a model is, but for a
    constant, Σ_f c_f Lᵢf, where Lᵢf counts the models of family f that are lower than the i-th
    twice and those equal to it once: L knows nothing of resamples. Models of one family with equal
    accuracies count alike; their L are summed before.
    """

    def __init__(self, truths: Shaped[np.ndarray, "*truths n"], resamples: Resamples) -> None:
        """See `RankBootstrap`."""
        levels = [
            np.unique(t, return_inverse=True)[1] for t in truths.reshape(-1, truths.shape[-1])
        ]
        # Models by family and accuracies, and where in this order a group of equal ones begins.
        self._order = np.lexsort((*levels, resamples.families))
        keys = np.stack([*levels, resamples.families])[:, self._order]
        new = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
        self._starts = np.append(0, 1 + np.flatnonzero(new))
        if 2 * len(self._starts) > len(self._order):  # summing would cost more than it saves
            self._starts = np.arange(len(self._order))
        largest = int(np.diff(self._starts, append=len(self._order)).max())
        super().__init__(truths, resamples, self._order[self._starts], largest)

    def _rank(self, x: Shaped[np.ndarray, " n"]) -> None:
        lower = self._lower(x)
        if len(self._starts) < len(x):
            lower = np.add.reduceat(lower, self._starts, axis=1)
        self._multiply(lower)

    def _rank_firsts(self, x: Shaped[np.ndarray, " n"]) -> None:
        self._multiply(self._lower(x)[:, self._starts])

    def _multiply(self, lower: Int[np.ndarray, "families groups"]) -> None:
        np.matmul(lower.T.astype(self._counts.dtype), self._counts, out=self._ranks)

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
