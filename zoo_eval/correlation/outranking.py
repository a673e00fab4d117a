"""How surely one model outranks another, if each is started anew."""

import math
from itertools import combinations

import numpy as np
from jaxtyping import Float

from zoo_eval.correlation.kendall import kendall_tau

_ROWS = 256  # models that are compared with all others at a time


def outranking(values: Float[np.ndarray, "models seeds"]) -> Float[np.ndarray, "models models"]:
    """P(i outranks j): share of the pairs of a value of i and one of j in which i's is larger.

    Seeds of different models have nothing in common, so every value of one is compared with
    every value of the other; equal ones count ½. That is the Mann–Whitney U of the two over the
    number of pairs.

    Args:
        values: NaN where a model has no value at a seed.

    Returns:
        P with P + Pᵀ = 1; ½ on the diagonal, NaN for models without a value.

    >>> outranking(np.array([[1.0, 3.0], [2.0, 0.0]]))
    array([[0.5 , 0.75],
           [0.25, 0.5 ]])
    """
    shares = _shares(values, values)
    np.fill_diagonal(shares, np.where(np.isnan(values).all(axis=1), math.nan, 0.5))
    return shares


def _shares(
    some: Float[np.ndarray, "rows seeds"], others: Float[np.ndarray, "models seeds"]
) -> Float[np.ndarray, "rows models"]:
    wins = np.zeros((len(some), len(others)))
    for x in some.T:
        for y in others.T:
            wins += np.greater.outer(x, y) + np.equal.outer(x, y) / 2
    pairs = np.multiply.outer(*(np.sum(~np.isnan(values), axis=1) for values in (some, others)))
    return np.divide(wins, pairs, out=np.full(wins.shape, math.nan), where=pairs > 0)


def pair_certainty(values: Float[np.ndarray, "models seeds"]) -> float:
    """Mean over pairs of models of max(P, 1 − P), P the share in which one outranks the other.

    Returns:
        1 if no seed could change the order of any two models; ½ if seeds decide. With few seeds
        it is above ½ by chance: ¾ for two seeds of pure noise. NaN for fewer than two models.
    """
    values = values[~np.isnan(values).all(axis=1)]
    n, total = len(values), 0.0
    for start in range(0, n, _ROWS):
        above = _shares(values[start : start + _ROWS], values[start:])
        total += float(np.triu(np.maximum(above, 1 - above), 1).sum())
    return total / (n * (n - 1) / 2) if n > 1 else math.nan


def seed_tau(values: Float[np.ndarray, "models seeds"]) -> float:
    """Mean over pairs of seeds of Kendall's τ_b between the models' values at the two.

    Pairs of seeds that share fewer than two models, or at which the score is constant, are left
    out.

    Returns:
        1 if all seeds order the models alike, 0 if they have nothing in common; NaN if no pair of
        seeds has a τ_b.
    """
    taus: list[float] = []
    for x, y in combinations(values.T, 2):
        both = ~np.isnan(x) & ~np.isnan(y)
        if both.sum() > 1:
            taus.append(kendall_tau(x[both], y[both]))
    defined = [tau for tau in taus if not math.isnan(tau)]
    return float(np.mean(defined)) if defined else math.nan
