"""Spearman's ρ in every resample, for models of any number of families."""

import numpy as np
from jaxtyping import Shaped

from zoo_eval.correlation.rank_bootstrap import RankBootstrap
from zoo_eval.correlation.resamples import Resamples
from zoo_eval.correlation.ties import Values


class ByModel(RankBootstrap):
    """Ranks in all resamples by a walk through the models, upwards through a score.

    Twice the midrank of a value is 2B + W + 1, with W the weight of the models that have it and B
    that of all below.
    """

    def __init__(self, truths: Shaped[np.ndarray, "*truths n"], resamples: Resamples) -> None:
        """See `RankBootstrap`."""
        super().__init__(truths, resamples, np.arange(len(resamples.families)), 1)

    def _rank(self, x: Shaped[np.ndarray, " n"]) -> None:
        values = Values(x)
        tied = iter(values.sums(self._counts[self._families[values.members]]))
        families, below = self._families[values.firsts], np.zeros_like(self._counts[0])
        places = zip(values.firsts.tolist(), values.shared.tolist(), families.tolist(), strict=True)
        # Two additions a value: a cumsum along the first axis takes several times as long.
        for first, shared, family in places:
            weight = next(tied) if shared else self._counts[family]
            rank = np.add(below, weight, out=self._ranks[first])
            np.add(rank, weight, out=below)
        of_first = self._ranks[values.firsts[values.shared]]
        self._ranks[values.members] = np.repeat(of_first, values.sizes, axis=0)

    _rank_firsts = _rank
