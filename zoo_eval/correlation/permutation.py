"""Permutation test of ρ: how often shuffled accuracies give as strong a correlation."""

import numpy as np
from jaxtyping import Float

from zoo_eval.correlation.spearman import centred_ranks

_AT_ONCE = 500  # permutations


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
    ranks, of_truth = centred_ranks(scores), centred_ranks(truth)
    # Sums of multiples of 1/4, hence exact: a permutation that gives the same ρ is counted.
    observed = np.abs(ranks @ of_truth)
    reached = np.zeros(len(scores), np.intp)
    rng = np.random.default_rng(seed)
    for first in range(0, permutations, _AT_ONCE):
        shuffled = np.tile(of_truth, (min(_AT_ONCE, permutations - first), 1))
        rng.permuted(shuffled, axis=1, out=shuffled)
        reached += (np.abs(ranks @ shuffled.T) >= observed[:, None]).sum(axis=1)
    p_values = (reached + 1) / (permutations + 1)
    p_values[~ranks.any(axis=1) | ~of_truth.any()] = np.nan
    return p_values
