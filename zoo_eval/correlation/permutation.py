"""Permutation test of ρ: how often shuffled accuracies give as strong a correlation."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

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
    return permutation_p_values_of_groups([(scores, truth)], permutations, seed)[0]


def permutation_p_values_of_groups(
    groups: Sequence[tuple[Float[np.ndarray, "_scores n"], Float[np.ndarray, " n"]]],
    permutations: int,
    seed: int,
) -> list[Float[np.ndarray, " _scores"]]:
    """The same for groups of scores, each with its own n models: they share the permutations.

    Drawing permutations takes longer than all else; as many models are permuted alike.

    Args:
        groups: Scores, one per row, and the accuracies of their models; at least one group.
        permutations: m.
        seed: Seed of the permutations.
    """
    ranks = [(centred_ranks(scores), centred_ranks(truth)) for scores, truth in groups]
    # Sums of multiples of 1/4, hence exact: a permutation that gives the same ρ is counted.
    observed = [np.abs(of_scores @ of_truth)[:, None] for of_scores, of_truth in ranks]
    reached = [np.zeros(len(of_scores), np.intp) for of_scores, _ in ranks]
    rng = np.random.default_rng(seed)
    n = len(groups[0][1])
    for first in range(0, permutations, _AT_ONCE):
        orders = np.tile(np.arange(n), (min(_AT_ONCE, permutations - first), 1))
        rng.permuted(orders, axis=1, out=orders)
        for count, seen, (of_scores, of_truth) in zip(reached, observed, ranks, strict=True):
            count += (np.abs(of_scores @ of_truth[orders].T) >= seen).sum(axis=1)
    found: list[Float[np.ndarray, " _scores"]] = []
    for count, (of_scores, of_truth) in zip(reached, ranks, strict=True):
        p_values = (count + 1) / (permutations + 1)
        p_values[~of_scores.any(axis=1) | ~of_truth.any()] = np.nan
        found.append(p_values)
    return found
