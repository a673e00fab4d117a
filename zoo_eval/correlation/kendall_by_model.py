"""Kendall's τ_b in every resample, for models of any number of families."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.correlation.resamples import Resamples
from zoo_eval.correlation.value_weights import ValueWeights


class KendallByModel:
    """Kendall's τ_b of a score with one accuracy in all resamples, by a walk through the models.

    `KendallBootstrap` multiplies matrices as wide as there are families; where every model is a
    family of its own, this is faster. Upwards through the score, each model looks at the weight B
    of those before it that have a lower accuracy. These weights are kept, for all resamples, in a
    binary indexed tree over the distinct accuracies: a row holds the sum over a stretch whose
    length is a power of two, so that looking up and adding touch about log₂ n rows.

    Concordant pairs are then Σ wB; and of the pairs that are untied in the score, Σ_values W² of
    the accuracies, less that of score and accuracy together, says how many are tied in the
    accuracy: the rest are discordant. All sums are of whole numbers, hence exact, and what comes
    out is the same to the bit.

    References:
        Fenwick, "A New Data Structure for Cumulative Frequency Tables", 1994.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], resamples: Resamples) -> None:
        """Look at the ties of the accuracy in every resample.

        Args:
            truth: The accuracy, one value per model.
            resamples: Resamples of the same models.
        """
        self._squares = ValueWeights(resamples, 2)
        total = np.bincount(resamples.families) @ resamples.by_family
        self._pairs = total * total
        self._truth_squares = self._squares(truth)
        # In as few bytes as do.
        few = total.max(initial=0) < 2**15
        self._weights = resamples.by_family.astype(np.int16 if few else np.int32)
        self._families = resamples.families
        rows = list(self._weights)
        self._rows = [rows[family] for family in resamples.families.tolist()]
        distinct, levels = np.unique(truth, return_inverse=True)
        self._levels = levels.tolist()
        self._below = [_stretches_below(level) for level in range(len(distinct))]
        self._around = [_stretches_around(level, len(distinct)) for level in range(len(distinct))]

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """τ_b of the score in each resample; NaN where score or accuracy is constant."""
        levels = np.unique(score, return_inverse=True)[1]
        of_both = self._squares(levels * len(self._below) + np.array(self._levels))
        untied = self._pairs - self._squares(levels)
        # Concordant less discordant pairs, each counted from both sides.
        net = 4 * self._concordant(levels) + (self._truth_squares - of_both) - untied
        scale = np.sqrt(untied * (self._pairs - self._truth_squares))
        tau = np.full(len(net), np.nan)
        np.divide(net, scale, out=tau, where=scale > 0)
        return tau

    def _concordant(self, score: Int[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """Weight of the concordant pairs."""
        n_resamples = self._weights.shape[1]
        stretches = list(np.zeros((len(self._below) + 1, n_resamples), self._weights.dtype))
        below = np.zeros((len(score), n_resamples), self._weights.dtype)
        order = np.argsort(score, kind="stable")
        ends = np.append(np.flatnonzero(np.diff(score[order])) + 1, len(score)).tolist()
        models, start = order.tolist(), 0
        for end in ends:
            for model in models[start:end]:
                row = below[model]
                for stretch in self._below[self._levels[model]]:
                    row += stretches[stretch]
            for model in models[start:end]:
                weight = self._rows[model]
                for stretch in self._around[self._levels[model]]:
                    stretches[stretch] += weight
            start = end
        weights = self._weights[self._families]
        return np.einsum("ir,ir->r", below, weights, dtype=np.float64)


def _stretches_below(level: int) -> list[int]:
    """The stretches that make up the levels below one, counted from 1."""
    found: list[int] = []
    while level:
        found.append(level)
        level &= level - 1
    return found


def _stretches_around(level: int, n_levels: int) -> list[int]:
    """The stretches that a level is part of."""
    found: list[int] = []
    stretch = level + 1
    while stretch <= n_levels:
        found.append(stretch)
        stretch += stretch & -stretch
    return found
