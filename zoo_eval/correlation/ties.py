"""The distinct values of a score, upwards, and the models that share one."""

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped


class Values:
    """Which models have each distinct value of a score.

    Most scores have few ties or none, so sums over a score's models are taken without regard to
    ties and then corrected for the members: the models that share a value with another.

    Attributes:
        firsts: A model with each value, values upwards.
        shared: Which of the values several models have.
        members: These models, value by value.
        sizes: How many they are at each shared value.

    >>> values = Values(np.array([0.5, 0.1, 0.5]))
    >>> values.firsts.tolist(), values.shared.tolist(), values.members.tolist()
    ([1, 0], [False, True], [0, 2])
    """

    def __init__(self, x: Shaped[np.ndarray, " n"]) -> None:
        order = np.argsort(x, kind="stable")
        ordered = x[order]
        starts = np.append(0, 1 + np.flatnonzero(ordered[1:] != ordered[:-1]))
        sizes = np.diff(starts, append=len(x))
        self.firsts: Int[np.ndarray, " values"] = order[starts]
        self.shared: Bool[np.ndarray, " values"] = sizes > 1
        self.members: Int[np.ndarray, " members"] = order[np.repeat(self.shared, sizes)]
        self.sizes: Int[np.ndarray, " shared"] = sizes[self.shared]

    def sums(
        self, of_members: Float[np.ndarray, "members resamples"]
    ) -> Float[np.ndarray, "shared resamples"]:
        """Sums over the members that share a value."""
        summed = np.zeros((len(self.sizes), of_members.shape[1]))
        places = np.repeat(np.arange(len(self.sizes)), self.sizes)
        # Row by row: np.add.reduceat takes four times as long.
        for place, row in zip(places.tolist(), of_members, strict=True):
            summed[place] += row
        return summed


def midranks(x: Shaped[np.ndarray, "*rows n"]) -> Float[np.ndarray, "*rows n"]:
    """Ranks from 1 within each row; equal values share the mean of theirs.

    As `scipy.stats.rankdata`, in a third of its time: NaN for all of a row with a NaN.

    >>> midranks(np.array([0.5, 0.1, 0.5])).tolist()
    [2.5, 1.0, 2.5]
    """
    if x.ndim > 1:
        return np.stack([midranks(row) for row in x]) if len(x) else np.zeros(x.shape)
    distinct, places, counts = np.unique(x, return_inverse=True, return_counts=True)
    if np.isnan(distinct[-1:]).any():
        return np.full(len(x), np.nan)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def sum_of_powers(
    weights: Float[np.ndarray, "rows resamples"], power: int
) -> Float[np.ndarray, " resamples"]:
    """Σ w^power over the rows, for a power of 2 or more."""
    product = weights
    for _ in range(power - 2):  # numpy's own w**3 takes ten times as long
        product = product * weights
    return np.einsum("ir,ir->r", product, weights)
