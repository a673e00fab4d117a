"""Concordant less discordant pairs, counted once for every statistic that needs them."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int, Int8, Int32, Shaped

# Rows of pairs that are looked at together: few enough to stay in the processor's cache.
_ROWS = 128


class Concordance:
    """How far a score orders pairs of models as one accuracy does.

    With sᵢⱼ = sign(xᵢ - xⱼ) and tᵢⱼ = sign(yᵢ - yⱼ), a pair is concordant if sᵢⱼtᵢⱼ = 1,
    discordant if it is -1, and tied in score or accuracy if it is 0. All n² pairs are compared:
    that is 1 byte a pair for the accuracy, and some operations a pair for each score, on whole
    rows at once.

    Args:
        truth: The accuracy y, one value per model.
        families: Family of each model, numbered from 0.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], families: Int[np.ndarray, " n"]) -> None:
        self._by_family = np.argsort(families, kind="stable")
        self._ends = np.cumsum(np.bincount(families)).tolist()
        levels = _levels(truth)
        self._truth_signs = _signs(levels[self._by_family], levels)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Int32[np.ndarray, "families n"]:
        """Σ sᵢⱼtᵢⱼ over the models i of each family, for every model j."""
        levels = _levels(score)
        rows = levels[self._by_family]
        counts = np.zeros((len(self._ends), len(score)), np.int32)
        for family, first, last in self._slices():
            agree = _signs(rows[first:last], levels) * self._truth_signs[first:last]
            counts[family] += agree.sum(axis=0, dtype=np.int16)
        return counts

    def _slices(self) -> Iterator[tuple[int, int, int]]:
        """Family, first and last row of blocks of rows that belong to one family."""
        first = 0
        for family, end in enumerate(self._ends):
            while first < end:
                last = min(first + _ROWS, end)
                yield family, first, last
                first = last


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
