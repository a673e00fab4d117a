"""Concordant less discordant pairs, counted once for every statistic that needs them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int8, Int32, Shaped, UInt8

# Rows of pairs that are looked at together: few enough to stay in the processor's cache, and for
# a sum of that many bytes' counts, from -8 to 8, to fit in 16 bits.
_ROWS = 128

_Bits = UInt8[np.ndarray, "rows bytes"]
_Counts = UInt8[np.ndarray, "rows bytes"] | Int8[np.ndarray, "rows bytes"]


@dataclass(frozen=True)
class Agreement:
    """Concordant less discordant pairs of a score, summed in two ways; both are exact.

    Attributes:
        of_models: Σⱼ sᵢⱼtᵢⱼ over all models j, for every model i.
        of_families: The same over the models i of one family and j of another.
    """

    of_models: Int32[np.ndarray, " n"]
    of_families: Int32[np.ndarray, "families families"]


class Concordance:
    """How far a score orders pairs of models as one accuracy does.

    With sᵢⱼ = sign(xᵢ - xⱼ) and tᵢⱼ = sign(yᵢ - yⱼ), a pair is concordant if sᵢⱼtᵢⱼ = 1,
    discordant if it is -1, and tied in score or accuracy if it is 0. All n² pairs are compared,
    and what comes out is kept and combined as bits, eight models in a byte: that is ¼ byte a pair
    for the accuracy (25 MB for 10,000 models). A family begins with a byte of its own, so that
    counting the bits of bytes counts by family. 32 bits hold the sums of up to 46,340 models.

    Args:
        truth: The accuracy y, one value per model; no NaN.
        families: Family of each model, numbered from 0, none left out.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"], families: Int[np.ndarray, " n"]) -> None:
        self._by_family = np.argsort(families, kind="stable")
        sizes = np.bincount(families)
        starts = np.cumsum(sizes) - sizes
        n_bytes = -(-sizes // 8)
        self._bytes = np.cumsum(n_bytes) - n_bytes
        # The model in each bit; a bit that is left over repeats its family's last model, and is 0
        # in the bits of the accuracy.
        within = np.arange(8 * n_bytes.sum()) - np.repeat(8 * self._bytes, 8 * n_bytes)
        last = np.repeat(sizes - 1, 8 * n_bytes)
        self._bits = np.repeat(starts, 8 * n_bytes) + np.minimum(within, last)
        used = np.packbits(within <= last)
        order = _Order(truth[self._by_family], self._bits)
        self._blocks = list(_blocks(sizes))
        self._higher = np.empty((len(truth), len(used)), np.uint8)
        self._differs = np.empty_like(self._higher)
        for rows, _, _ in self._blocks:
            self._higher[rows] = order.higher(rows) & used
            self._differs[rows] = order.lower(rows) & used | self._higher[rows]
        differing = (np.bitwise_count(self._differs[rows]) for rows, _, _ in self._blocks)
        self._untied = self._sums(differing)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Agreement:
        """Count the pairs of a score, which has no NaN either."""
        order = _Order(score[self._by_family], self._bits)
        if order.untied:
            # Pairs are concordant or discordant if they are untied in the accuracy.
            concordant = self._sums(self._concordant(order))
            return Agreement(
                2 * concordant.of_models - self._untied.of_models,
                2 * concordant.of_families - self._untied.of_families,
            )
        return self._sums(self._net(order))

    def _concordant(self, order: "_Order") -> Iterator[UInt8[np.ndarray, "rows bytes"]]:
        """Concordant pairs of an untied score in each byte, block by block."""
        for rows, _, _ in self._blocks:
            bits = order.lower(rows)
            # Where the score is lower, the bits of a lower accuracy; else those of a higher one.
            bits &= self._differs[rows]
            bits ^= self._higher[rows]
            yield np.bitwise_count(bits)

    def _net(self, order: "_Order") -> Iterator[Int8[np.ndarray, "rows bytes"]]:
        """Concordant less discordant pairs in each byte, block by block."""
        for rows, _, _ in self._blocks:
            lower, higher = order.lower(rows), order.higher(rows)
            of_higher = self._higher[rows]
            of_lower = self._differs[rows] ^ of_higher
            concordant = lower & of_lower | higher & of_higher
            discordant = lower & of_higher | higher & of_lower
            net = np.bitwise_count(concordant).view(np.int8)
            net -= np.bitwise_count(discordant).view(np.int8)
            yield net

    def _sums(self, counts: Iterable[_Counts]) -> Agreement:
        """Sum what was counted in each byte, by model and by pair of families."""
        of_models = np.empty(len(self._by_family), np.int32)
        of_families = np.zeros((len(self._bytes), len(self._bytes)), np.int32)
        for (rows, families, parts), block in zip(self._blocks, counts, strict=True):
            of_models[self._by_family[rows]] = block.sum(axis=1, dtype=np.int32)
            of_bytes = np.stack([block[part].sum(axis=0, dtype=np.int16) for part in parts])
            of_families[families] += np.add.reduceat(of_bytes, self._bytes, axis=1, dtype=np.int32)
        return Agreement(of_models, of_families)


def _blocks(sizes: Int[np.ndarray, " families"]) -> Iterator[tuple[slice, slice, list[slice]]]:
    """Some rows at a time, by family; their families, and which of the rows are of each."""
    ends = np.cumsum(sizes)
    for start in range(0, ends[-1], _ROWS):
        end = min(start + _ROWS, int(ends[-1]))
        first, last = np.searchsorted(ends, [start, end - 1], side="right").tolist()
        cuts = np.clip([0, *ends][first : last + 2], start, end) - start
        parts = [slice(*cut) for cut in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)]
        yield slice(start, end), slice(first, last + 1), parts


class _Order:
    """How models are ordered by some values: the models in the columns against those of rows."""

    def __init__(self, x: Shaped[np.ndarray, " n"], columns: Int[np.ndarray, " bits"]) -> None:
        distinct, levels = np.unique(x, return_inverse=True)
        # In as few bytes as do.
        self._levels = levels.astype(np.int16 if len(distinct) < 2**15 else np.int32)
        self._columns = self._levels[columns]
        self.untied = len(distinct) == len(x)

    def lower(self, rows: slice) -> _Bits:
        """Bits of the models that are lower than those of some rows."""
        return np.packbits(self._levels[rows, None] > self._columns, axis=1)

    def higher(self, rows: slice) -> _Bits:
        """Bits of the models that are higher."""
        return np.packbits(self._levels[rows, None] < self._columns, axis=1)
