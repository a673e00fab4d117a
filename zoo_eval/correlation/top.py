"""What a user gets who takes the models that a score puts on top: recall, regret, nDCG.

In all of these "top" is the largest value; negate a score of which less is better. Where a tie
lies across the k-th place, the value is the mean over all ways to break it.
"""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from zoo_eval.correlation.aligned import numbers
from zoo_eval.correlation.ties import Values
from zoo_eval.errors import InputError


def top_share(truth: pd.Series, share: float = 0.2) -> pd.Series:
    """Which models are in the top share of an accuracy; those tied with the last are.

    Raises:
        InputError: the share is not above 0 and at most 1, or no model has an accuracy.

    >>> top_share(pd.Series([0.7, 0.9, 0.8, 0.8, 0.6]), 0.4).tolist()
    [False, True, True, True, False]
    """
    values = numbers(truth)
    known = np.sort(values[~np.isnan(values)])[::-1]
    if not 0 < share <= 1 or not len(known):
        raise InputError(
            "A top share needs models with an accuracy and a share above 0 and at most 1, but "
            f"there are {len(known)} and the share is {share:g}."
        )
    last = known[max(round(share * len(known)), 1) - 1]
    return pd.Series(values >= last, truth.index)


def top_recall(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"], k: int) -> float:
    """Share of the k models of highest accuracy that are among the k of highest score.

    Args:
        x: The score, one value per model.
        y: The accuracy.
        k: From 1 to n.

    Returns:
        From 0 to 1; k/n by chance.

    >>> top_recall(np.array([1, 2, 3, 4]), np.array([1, 4, 2, 3]), 2)
    0.5
    """
    return float(_chance_of_top(x, k) @ _chance_of_top(y, k)) / k


def regret_at(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"], k: int) -> float:
    """Accuracy lost by trying the k models of highest score only, and keeping the best.

    Args:
        x: The score, one value per model.
        y: The accuracy.
        k: From 1 to n.

    Returns:
        From 0, in the unit of the accuracy.

    >>> regret_at(np.array([1, 2, 3, 4]), np.array([5, 9, 6, 8]), 2)
    1.0
    """
    chance = _chance_of_top(x, k)
    sure, maybe = y[chance == 1], np.sort(y[(chance > 0) & (chance < 1)])[::-1]
    if not len(maybe):
        return float(y.max() - sure.max())
    # Of t models that are tied, m are drawn: the j-th best is the best of them with probability
    # C(t - j, m - 1) / C(t, m); each is (t - j - m + 2) / (t - j + 1) of the one before, from m/t.
    t, m = len(maybe), k - len(sure)
    j = np.arange(2, t + 1)
    best = np.cumprod(np.append(m / t, np.maximum(t - j - m + 2, 0) / (t - j + 1)))
    return float(best @ (y.max() - np.maximum(maybe, sure.max(initial=-np.inf))))


def ndcg_at(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"], k: int) -> float:
    """Normalised discounted cumulative gain, as `sklearn.metrics.ndcg_score` defines it.

    The gain of a model is linear in its accuracy: 0 for the worst of these models, 1 for the
    best. The i-th by score counts 1/log₂(i + 1), those after the k-th nothing; tied models share
    the mean of their gains. The sum is divided by that of the best order.

    Args:
        x: The score, one value per model.
        y: The accuracy.
        k: From 1 to n.

    Returns:
        From 0 to 1; NaN if y is constant. With k = n even a random order has a high value.

    References:
        Järvelin and Kekäläinen, "Cumulated Gain-based Evaluation of IR Techniques", 2002.

    >>> round(ndcg_at(np.array([1, 2, 3]), np.array([1, 3, 2]), 3), 6)
    0.859719
    """
    gains = (y - y.min()) / np.where(y.max() > y.min(), y.max() - y.min(), np.nan)
    discounts = np.where(np.arange(len(y)) < k, 1 / np.log2(np.arange(len(y)) + 2), 0)
    values = Values(-x)
    of_model = np.empty(len(y))
    of_model[np.argsort(-x, kind="stable")] = discounts
    shares = np.repeat(np.arange(len(values.sizes)), values.sizes)
    means = np.bincount(shares, of_model[values.members]) / values.sizes
    of_model[values.members] = np.repeat(means, values.sizes)
    return float(gains @ of_model / (np.sort(gains)[::-1] @ discounts))


def _chance_of_top(x: Shaped[np.ndarray, " n"], k: int) -> Float[np.ndarray, " n"]:
    """Probability of each model to be among the k largest, ties broken at random."""
    _, places, counts = np.unique(-x, return_inverse=True, return_counts=True)
    before: Int[np.ndarray, " values"] = np.cumsum(counts) - counts
    return np.clip((k - before) / counts, 0, 1)[places]
