"""Concordant less discordant pairs, counted once for every statistic that needs them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int8, Int32, Shaped, UInt8

# Rows of pairs that are looked at together: few enough to stay in the processor's cache, and for
# a sum of that many bytes' counts, from -8 to 8, to fit in 16 bits.
_ROWS = 128

_Bits = UInt8[np.ndarray, "rows bytes"]
_Counts = UInt8[np.ndarray, "*truths rows bytes"] | Int8[np.ndarray, "*truths rows bytes"]


@dataclass(frozen=True)
class Agreement:
    """Concordant less discordant pairs of a score, summed in two ways; both are exact.

    Attributes:
        of_models: Σⱼ sᵢⱼtᵢⱼ over all models j, for every model i.
        of_families: The same over the models i of one family and j of another.
    """

    of_models: Int32[np.ndarray, "*truths n"]
    of_families: Int32[np.ndarray, "*truths families families"]


@dataclass(frozen=True)
class Window:
    """Which pairs count: those of a model i and the models j with lowestᵢ ≤ xⱼ ≤ highestᵢ.

    Attributes:
        x: Some quantity, whole numbers.
        lowest: Lower end for each model.
        highest: Upper end; j must be in the window of i if i is in that of j.
    """

    x: Int[np.ndarray, " n"]
    lowest: Int[np.ndarray, " n"]
    highest: Int[np.ndarray, " n"]


class Concordance:
    """How far a score orders pairs of models as one accuracy does, or each of several.

    With sᵢⱼ = sign(xᵢ - xⱼ) and tᵢⱼ = sign(yᵢ - yⱼ), a pair is concordant if sᵢⱼtᵢⱼ = 1,
    discordant if it is -1, and tied in score or accuracy if it is 0. All n² pairs are compared,
    and what comes out is kept and combined as bits, eight models in a byte: that is ¼ byte a pair
    for an accuracy (25 MB for 10,000 models). A family begins with a byte of its own, so that
    counting the bits of bytes counts by family. 32 bits hold the sums of up to 46,340 models.

    Args:
        truths: The accuracy y, one value per model, or several, one per row; no NaN.
        families: Family of each model, numbered from 0, none left out.
        window: Which pairs count; None: all.
    """

    def __init__(
        self,
        truths: Shaped[np.ndarray, "*truths n"],
        families: Int[np.ndarray, " n"],
        window: Window | None = None,
    ) -> None:
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
        self._used = np.packbits(within <= last)
        self._blocks = list(_blocks(sizes))
        self._window = window
        self._shape = truths.shape[:-1]
        orders = [self._order(truth) for truth in truths.reshape(-1, truths.shape[-1])]
        # Of the pairs that count: where the accuracy is higher, and where it differs.
        self._higher = np.empty((len(orders), len(families), len(self._used)), np.uint8)
        self._differs = np.empty_like(self._higher)
        for block in self._blocks:
            counted = self._counted(block.rows)
            for order, higher, differs in zip(orders, self._higher, self._differs, strict=True):
                higher[block.rows] = order.higher(block.rows) & counted
                differs[block.rows] = order.lower(block.rows) & counted | higher[block.rows]
        self._untied = self._sums(
            np.bitwise_count(self._differs[:, block.rows]) for block in self._blocks
        )

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Agreement:
        """Count the pairs of a score, which has no NaN either."""
        order = self._order(score)
        if not order.untied:
            return self._sums(self._net(order))
        # Pairs are concordant or discordant if they are untied in the accuracy.
        concordant = self._sums(self._concordant(order))
        return Agreement(
            2 * concordant.of_models - self._untied.of_models,
            2 * concordant.of_families - self._untied.of_families,
        )

    def untied(self, score: Shaped[np.ndarray, " n"]) -> Agreement:
        """How many pairs are untied in score and accuracy, whether concordant or discordant."""
        order = self._order(score)
        if order.untied:
            return self._untied
        return self._sums(
            np.bitwise_count(
                (order.lower(block.rows) | order.higher(block.rows)) & self._differs[:, block.rows]
            )
            for block in self._blocks
        )

    def _order(self, x: Shaped[np.ndarray, " n"]) -> "_Order":
        return _Order(x[self._by_family], self._bits)

    def _counted(self, rows: slice) -> _Bits:
        """Bits of the models whose pairs with those of some rows count."""
        if self._window is None:
            return np.tile(self._used, (rows.stop - rows.start, 1))
        x = self._window.x[self._by_family][self._bits]
        lowest, highest = (
            ends[self._by_family][rows, None]
            for ends in (self._window.lowest, self._window.highest)
        )
        return np.packbits((lowest <= x) & (x <= highest), axis=1) & self._used

    def _concordant(self, order: "_Order") -> Iterator[UInt8[np.ndarray, "truths rows bytes"]]:
        """Concordant pairs of an untied score in each byte, block by block."""
        for block in self._blocks:
            # Where the score is lower, the bits of a lower accuracy; else those of a higher one.
            bits = order.lower(block.rows) & self._differs[:, block.rows]
            bits ^= self._higher[:, block.rows]
            yield np.bitwise_count(bits)

    def _net(self, order: "_Order") -> Iterator[Int8[np.ndarray, "truths rows bytes"]]:
        """Concordant less discordant pairs in each byte, block by block."""
        for block in self._blocks:
            lower, higher = order.lower(block.rows), order.higher(block.rows)
            of_higher = self._higher[:, block.rows]
            of_lower = self._differs[:, block.rows] ^ of_higher
            concordant = lower & of_lower | higher & of_higher
            discordant = lower & of_higher | higher & of_lower
            net = np.bitwise_count(concordant).view(np.int8)
            net -= np.bitwise_count(discordant).view(np.int8)
            yield net

    def _sums(self, counts: Iterable[_Counts]) -> Agreement:
        """Sum what was counted in each byte, by model and by pair of families."""
        n_truths, n, n_families = len(self._higher), len(self._by_family), len(self._bytes)
        of_models = np.empty((n_truths, n), np.int32)
        of_families = np.zeros((n_truths, n_families, n_families), np.int32)
        for block, of_block in zip(self._blocks, counts, strict=True):
            of_models[:, self._by_family[block.rows]] = of_block.sum(axis=2, dtype=np.int32)
            of_bytes = np.stack(
                [of_block[:, part].sum(axis=1, dtype=np.int16) for part in block.parts], axis=1
            )
            of_families[:, block.families] += np.add.reduceat(
                of_bytes, self._bytes, axis=2, dtype=np.int32
            )
        return Agreement(
            of_models.reshape(*self._shape, n),
            of_families.reshape(*self._shape, n_families, n_families),
        )


@dataclass(frozen=True)
class _Block:
    """Some rows, the families that they are of, and which of the rows are of each."""

    rows: slice
    families: slice
    parts: list[slice]


def _blocks(sizes: Int[np.ndarray, " families"]) -> Iterator[_Block]:
    """Some rows at a time, by family."""
    ends = np.cumsum(sizes)
    for start in range(0, ends[-1], _ROWS):
        end = min(start + _ROWS, int(ends[-1]))
        first, last = np.searchsorted(ends, [start, end - 1], side="right").tolist()
        cuts = np.clip([0, *ends][first : last + 2], start, end) - start
        parts = [slice(*cut) for cut in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)]
        yield _Block(slice(start, end), slice(first, last + 1), parts)


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
