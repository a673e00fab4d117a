"""Permutation importance: how much worse a regression predicts when a feature is shuffled."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

# Rows that are predicted at once. A call costs as much as some thousand rows, which makes it 20
# times as fast as scikit-learn's function, which calls once for each shuffle.
_ROWS = 20_000


def importance_of_each(
    predict: Callable[[Float[np.ndarray, "rows columns"]], Float[np.ndarray, " rows"]],
    columns: Float[np.ndarray, "n columns"],
    truth: Float[np.ndarray, " n"],
    *,
    behind: Int[np.ndarray, " columns"],
    n_features: int,
    shuffles: int,
    seed: int,
) -> Float[np.ndarray, " features"]:
    """By how much the mean absolute error rises when a feature is shuffled, mean over shuffles.

    All features are shuffled in the same ways, each with all columns that were made of it.

    Args:
        predict: The regression, after its features were prepared.
        columns: Prepared features of models that it was not fitted to.
        truth: Their accuracies.
        behind: The feature that each column was made of.
        n_features: How many there are; 0 is the importance of those that no column was made of.
        shuffles: Ways to shuffle.
        seed: Seed of the shuffles.
    """
    n = len(truth)
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(n) for _ in range(shuffles)])
    copies = np.tile(columns, (shuffles, 1))
    used = np.unique(behind)
    errors = np.empty(len(used))
    at_once = max(_ROWS // len(copies), 1)
    for first in range(0, len(used), at_once):
        some = used[first : first + at_once]
        stacked = np.tile(copies, (len(some), 1)).reshape(len(some), *copies.shape)
        for place, feature in enumerate(some):
            of_feature = np.flatnonzero(behind == feature)
            stacked[place][:, of_feature] = columns[np.ix_(order, of_feature)]
        found = predict(stacked.reshape(-1, columns.shape[1])).reshape(len(some), shuffles, n)
        errors[first : first + len(some)] = np.abs(found - truth).mean(axis=(1, 2))
    rises = np.zeros(n_features)
    rises[used] = errors - np.abs(predict(columns) - truth).mean()
    return rises
