"""Kendall's τ_b in every resample, for models of any number of families."""

import numpy as np
from jaxtyping import Float, Shaped

from zoo_eval.correlation.resamples import Resamples
from zoo_eval.correlation.ties import Values, sum_of_powers


class KendallByModel:
    """Kendall's τ_b of a score with one accuracy in all resamples, by a walk through the models.

    `KendallBootstrap` multiplies matrices as wide as there are families; where every model is a
    family of its own, this is faster. Upwards through the score, each model looks at the weight
    of those before it that have a lower accuracy, and of those that have a higher one. These
    weights are kept, for all resamples, in a binary indexed tree over the distinct accuracies: a
    row holds the sum over a stretch whose length is a power of two, so that looking up and adding
    touch about log₂ n rows. All sums are of whole numbers, hence exact, and what comes out is the
    same to the bit.

    References:
        Fenwick, "A New Data Structure for Cumulative Frequency Tables", 1994.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], resamples: Resamples) -> None:
        """Look at the ties of the accuracy in every resample.

        Args:
            truth: The accuracy, one value per model.
            resamples: Resamples of the same models.
        """
        self._weights = resamples.weights()
        self._rows = list(self._weights)
        self._total = self._weights.sum(axis=0)
        self._squares = sum_of_powers(self._weights, 2)
        distinct, levels = np.unique(truth, return_inverse=True)
        self._levels = levels.tolist()
        self._below = [_stretches_below(level) for level in range(len(distinct))]
        self._around = [_stretches_around(level, len(distinct)) for level in range(len(distinct))]
        self._shared = (np.bincount(levels) > 1).tolist()
        self._truth_untied = self._untied(truth)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """τ_b of the score in each resample; NaN where score or accuracy is constant."""
        stretches = list(np.zeros((len(self._shared) + 1, len(self._total))))
        same = list(np.zeros((len(self._shared), len(self._total))))
        seen, net = np.zeros_like(self._total), np.zeros_like(self._total)
        lower = np.empty_like(net)
        order = np.argsort(score, kind="stable")
        ordered, models = score[order], order.tolist()
        start = 0
        ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, len(score)).tolist()
        for end in ends:
            for model in models[start:end]:
                level = self._levels[model]
                lower[:] = 0
                for stretch in self._below[level]:
                    lower += stretches[stretch]
                # Those below less those above: twice those below, those alike, less all.
                lower *= 2
                if self._shared[level]:
                    lower += same[level]
                lower -= seen
                lower *= self._rows[model]
                net += lower
            for model in models[start:end]:
                level, weight = self._levels[model], self._rows[model]
                for stretch in self._around[level]:
                    stretches[stretch] += weight
                if self._shared[level]:
                    same[level] += weight
                seen += weight
            start = end
        untied = self._untied(score)
        defined = (untied > 0) & (self._truth_untied > 0)
        tau = np.full(len(net), np.nan)
        np.divide(2 * net, np.sqrt(untied * self._truth_untied), out=tau, where=defined)
        return tau

    def _untied(self, x: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " resamples"]:
        """Ordered pairs of models with different values, in each resample."""
        values = Values(x)
        members = self._weights[values.members]
        squares = self._squares - sum_of_powers(members, 2)
        return self._total**2 - squares - sum_of_powers(values.sums(members), 2)


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
