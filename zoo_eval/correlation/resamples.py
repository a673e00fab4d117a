"""Bootstrap clustered by family: resamples as multiplicities, and the interval they give."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt16

from zoo_eval.errors import InputError


@dataclass(frozen=True)
class Resamples:
    """R resamples of n models that come in F families.

    Models of one family share code, recipe and authors, so they are not independent. Whole
    families are therefore drawn, F of them with replacement; a family drawn c times brings
    each of its models c times.

    Attributes:
        families: Family of each model, numbered from 0 to F - 1.
        counts: How often each resample holds each family; whole numbers.
    """

    families: Int[np.ndarray, " n"]
    counts: Float[np.ndarray, "resamples families"]

    @cached_property
    def by_family(self) -> Float[np.ndarray, "families resamples"]:
        """`counts` the other way round, for sums over families."""
        return np.ascontiguousarray(self.counts.T)


@dataclass(frozen=True)
class Interval:
    """A percentile interval, NaN at both ends where no resample gave a value.

    Attributes:
        low: Lower end.
        high: Upper end.
        dropped: Resamples left out because the statistic is undefined in them.
    """

    low: float
    high: float
    dropped: int


def family_resamples(families: Sequence[Hashable], resamples: int, seed: int) -> Resamples:
    """Draw whole families with replacement.

    The plain bootstrap is the one in which every model is a family of its own:
    `family_resamples(range(n), ...)`. The same families and seed give the same resamples, so
    that two scores defined for the same models are compared on the same draws.

    Args:
        families: Family of each model.
        resamples: How many resamples to draw.
        seed: Seed of the random numbers.

    Raises:
        InputError: fewer than two families, which leaves nothing to resample.
    """
    ids = family_numbers(families)
    n_families = int(ids.max(initial=-1)) + 1
    if n_families < 2:
        raise InputError(
            f"A bootstrap by family needs at least 2 families, but all {len(ids)} models are of "
            f"{n_families}."
        )
    return Resamples(ids, _counts(n_families, resamples, seed).astype(np.float64))


def family_numbers(families: Sequence[Hashable]) -> Int[np.ndarray, " n"]:
    """Families numbered from 0, in the order in which they come."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(family, len(numbers)) for family in families], np.intp)


@lru_cache(maxsize=8)
def _counts(
    n_families: int, resamples: int, seed: int
) -> UInt8[np.ndarray, "resamples families"] | UInt16[np.ndarray, "resamples families"]:
    """How often each family is drawn; kept, as many scores differ in a few models only.

    In as few bytes as do: where each of 10,000 models is a family, 10 MB.
    """
    even = np.full(n_families, 1 / n_families)
    counts = np.random.default_rng(seed).multinomial(n_families, even, size=resamples)
    return counts.astype(np.min_scalar_type(int(counts.max(initial=0))))


def percentile_interval(values: Float[np.ndarray, " resamples"], level: float = 0.95) -> Interval:
    """Interval between the (1 - level)/2 and (1 + level)/2 quantiles of the resampled values.

    A resample in which the score or the accuracy is constant has no rank correlation (NaN).
    It is dropped, and counted in `dropped`.

    >>> percentile_interval(np.array([0.0, 1.0, np.nan, 2.0]), level=0.5)
    Interval(low=0.5, high=1.5, dropped=1)
    """
    return percentile_intervals(values[None], level)[0]


def percentile_intervals(
    values: Float[np.ndarray, "scores resamples"], level: float = 0.95
) -> list[Interval]:
    """The same for each row; for a dozen numpy takes as long as for one."""
    shares = [(1 - level) / 2, (1 + level) / 2]
    dropped = np.isnan(values).sum(axis=1)
    low, high = np.full((2, len(values)), math.nan)
    whole = dropped == 0
    if whole.any() and values.size:
        low[whole], high[whole] = np.quantile(values[whole], shares, axis=1)
    for row in np.flatnonzero(~whole & (dropped < values.shape[1])):
        low[row], high[row] = np.quantile(values[row][~np.isnan(values[row])], shares)
    ends = zip(low.tolist(), high.tolist(), dropped.tolist(), strict=True)
    return [Interval(*each) for each in ends]
