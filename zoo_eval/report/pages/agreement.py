"""Do two scores rank models alike, and where they do not, which of them is right?"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from zoo_eval.correlation.ties import midranks

# Models that are compared with all others at once.
_ROWS = 256


@dataclass(frozen=True)
class Agreement:
    """Two scores on the models that have both and the accuracy, higher meaning better in each.

    Attributes:
        n: How many models.
        rho: Spearman's ρ of one score with the other, signed so that agreement is positive.
        pairs: Pairs of models that the two put in opposite orders, and that differ in accuracy.
        first: Share of those pairs that the first score puts in the order of the accuracy.
        ranks: Place of each model, 1 for the best: by the first, the second, the accuracy.
    """

    n: int
    rho: float
    pairs: int
    first: float
    ranks: Float[np.ndarray, "n 3"]


def agreement(
    first: Float[np.ndarray, " n"],
    second: Float[np.ndarray, " n"],
    accuracy: Float[np.ndarray, " n"],
) -> Agreement:
    """Compare two scores; values are signed so that higher means better.

    >>> both = agreement(np.array([1.0, 2, 3]), np.array([1.0, 3, 2]), np.array([0.1, 0.2, 0.3]))
    >>> round(both.rho, 9), both.pairs, both.first
    (0.5, 1, 1.0)
    """
    columns = np.column_stack([first, second, accuracy])
    ranks = midranks(-columns.T).T
    centred = ranks[:, :2] - ranks[:, :2].mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    rho = float(centred[:, 0] @ centred[:, 1] / lengths.prod()) if lengths.all() else np.nan
    # Twice the midranks are whole: in 32 bits they are compared faster.
    order = (2 * ranks.T).astype(np.int32)
    right = wrong = 0
    for start in range(0, len(ranks), _ROWS):
        a, b, t = order[:, start : start + _ROWS, None]
        # Of two models, the one that the first score ranks below comes first: each pair once.
        opposed = (a > order[0]) & (b < order[1])
        right += int(np.count_nonzero(opposed & (t > order[2])))
        wrong += int(np.count_nonzero(opposed & (t < order[2])))
    pairs = right + wrong
    return Agreement(len(first), rho, pairs, right / pairs if pairs else np.nan, ranks)
