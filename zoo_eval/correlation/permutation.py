"""Permutation test of ρ: how often shuffled accuracies give as strong a correlation."""

from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from zoo_eval.correlation.spearman import centred_ranks

_AT_ONCE = 200  # permutations


def permutation_p_values(
    scores: Float[np.ndarray, "scores n"],
    truth: Float[np.ndarray, " n"],
    permutations: int = 9999,
    seed: int = 0,
) -> Float[np.ndarray, " scores"]:
    """Two-sided p-values of ρ = 0: (b + 1) / (m + 1).

    Of m random permutations of the accuracies, b give a |ρ| at least as large. The one more
    is the order that was observed: with it the test keeps its level, and no p-value is 0. All
    scores see the same permutations. Like `spearman_p_value`, which needs none and is a little
    less exact for few models, it takes the models as independent.

    With m permutations no p-value is below 1/(m + 1); Holm's correction multiplies that by the
    number of scores.

    Args:
        scores: One score per row.
        truth: The accuracy, one value per model.
        permutations: m.
        seed: Seed of the permutations.

    Returns:
        One per score; NaN for a constant score, and for all if the accuracy is constant.

    References:
        Phipson and Smyth, "Permutation P-values Should Never Be Zero", 2010.
    """
    kept = np.ones(len(truth), bool)
    return permutation_p_values_of_groups([Group(scores, truth, kept)], permutations, seed)[0]


class Group(NamedTuple):
    """Scores of the same n of N models.

    Attributes:
        scores: One score per row.
        truth: The accuracy of the n models.
        kept: Which of the N these are.
    """

    scores: Float[np.ndarray, "scores n"]
    truth: Float[np.ndarray, " n"]
    kept: Bool[np.ndarray, " N"]


def permutation_p_values_of_groups(
    groups: Sequence[Group], permutations: int, seed: int, threads: Executor | None = None
) -> list[Float[np.ndarray, " _scores"]]:
    """The same for groups of scores, each with its own of the N models.

    Drawing permutations takes longer than all else, so all share those of the N models. Of a
    random order the n models of a group are in a random order, too.

    Args:
        groups: At least one.
        permutations: m.
        seed: Seed of the permutations.
        threads: Where the groups are counted; None: here.
    """
    counts = [_Count(group) for group in groups]
    rng = np.random.default_rng(seed)
    models = np.arange(len(groups[0].kept))
    for first in range(0, permutations, _AT_ONCE):
        orders = np.tile(models, (min(_AT_ONCE, permutations - first), 1))
        rng.permuted(orders, axis=1, out=orders)
        add = partial(_Count.add, orders=orders)
        list(threads.map(add, counts) if threads else map(add, counts))
    return [count.p_values(permutations) for count in counts]


class _Count:
    """How many permutations reached the ρ of each score of a group."""

    def __init__(self, group: Group) -> None:
        self._ranks, of_truth = centred_ranks(group.scores), centred_ranks(group.truth)
        # Sums of multiples of 1/4, hence exact: a permutation that gives the same ρ is counted.
        self._observed = np.abs(self._ranks @ of_truth)[:, None]
        self._reached = np.zeros(len(self._ranks), np.intp)
        self._constant = ~self._ranks.any(axis=1) | ~of_truth.any()
        self._kept, self._of_truth = group.kept, np.zeros(len(group.kept))
        self._of_truth[group.kept] = of_truth

    def add(self, orders: Int[np.ndarray, "m N"]) -> None:
        shuffled = self._of_truth.take(orders)
        if not self._kept.all():
            shuffled = shuffled[self._kept.take(orders)].reshape(len(orders), -1)
        self._reached += (np.abs(self._ranks @ shuffled.T) >= self._observed).sum(axis=1)

    def p_values(self, permutations: int) -> Float[np.ndarray, " scores"]:
        return np.where(self._constant, np.nan, (self._reached + 1) / (permutations + 1))
