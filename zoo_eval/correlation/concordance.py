"""Concordant less discordant pairs, counted once for every statistic that needs them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int8, Int32, Shaped

# Rows of pairs that are looked at together: few enough to stay in the processor's cache, and for
# a sum of that many signs to fit in 16 bits.
_ROWS = 128


@dataclass(frozen=True)
class Agreement:
    """Concordant less discordant pairs of a score, summed in two ways; both are exact.

    Attributes:
        of_models: Σ sᵢⱼtᵢⱼ over all models i, for every model j.
        of_families: The same over the models i of one family and j of another.
    """

    of_models: Int32[np.ndarray, " n"]
    of_families: Int32[np.ndarray, "families families"]


class Concordance:
    """How far a score orders pairs of models as one accuracy does.

    With sᵢⱼ = sign(xᵢ - xⱼ) and tᵢⱼ = sign(yᵢ - yⱼ), a pair is concordant if sᵢⱼtᵢⱼ = 1,
    discordant if it is -1, and tied in score or accuracy if it is 0. All n² pairs are compared:
    that is 1 byte a pair for the accuracy (400 MB for 20,000 models), and some operations a pair
    for each score, on whole rows at once. 32 bits hold the sums of up to 46,340 models.

    Args:
        truth: The accuracy y, one value per model; no NaN.
        families: Family of each model, numbered from 0, none left out.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], families: Int[np.ndarray, " n"]) -> None:
        self._by_family = np.argsort(families, kind="stable")
        sizes = np.bincount(families)
        self._ends = np.cumsum(sizes)
        self._starts = self._ends - sizes
        levels = _levels(truth)[self._by_family]
        self._truth_signs = np.empty((len(truth), len(truth)), np.int8)
        for _, rows in self._blocks():
            self._truth_signs[rows] = _signs(levels[rows], levels)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Agreement:
        """Count the pairs of a score, which has no NaN either."""
        levels = _levels(score)[self._by_family]
        total = np.zeros(len(score), np.int32)
        of_families = np.zeros((len(self._starts), len(self._starts)), np.int32)
        for family, rows in self._blocks():
            agree = _signs(levels[rows], levels) * self._truth_signs[rows]
            of_model = agree.sum(axis=0, dtype=np.int16)
            total += of_model
            of_families[family] += np.add.reduceat(of_model, self._starts, dtype=np.int32)
        of_models = np.empty_like(total)
        of_models[self._by_family] = total
        return Agreement(of_models, of_families)

    def _blocks(self) -> Iterator[tuple[int, slice]]:
        """Family and rows of blocks of rows that belong to one family, by family."""
        bounds = zip(self._starts.tolist(), self._ends.tolist(), strict=True)
        for family, (start, end) in enumerate(bounds):
            for first in range(start, end, _ROWS):
                yield family, slice(first, min(first + _ROWS, end))


def _levels(x: Shaped[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """The number of each value among the distinct ones, in as few bytes as do."""
    distinct, levels = np.unique(x, return_inverse=True)
    return levels.astype(np.int16 if len(distinct) < 2**15 else np.int32)


def _signs(
    rows: Int[np.ndarray, " rows"], columns: Int[np.ndarray, " n"]
) -> Int8[np.ndarray, "rows n"]:
    """Signs of all differences; comparing is faster than subtracting."""
    above = rows[:, None] > columns[None, :]
    return above.view(np.int8) - (rows[:, None] < columns[None, :]).view(np.int8)
