"""Recall, regret and nDCG against scikit-learn, closed forms, and every way to break a tie."""

import math
from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from zoo_eval.correlation import ndcg_at, regret_at, top_recall, top_share
from zoo_eval.errors import InputError

SMALL = st.lists(st.integers(0, 3), min_size=6, max_size=6).map(lambda x: np.array(x, float))


def mean_over_orders(x, y, k, what):
    """The mean over all orders of the models that the score allows."""
    found = []
    for order in permutations(range(len(x))):
        taken = list(order)
        if all(x[a] >= x[b] for a, b in pairwise(taken)):
            found.append(what(y[taken[:k]]))
    return float(np.mean(found))


@given(SMALL, SMALL, st.integers(1, 6))
def test_regret_is_the_mean_over_all_ways_to_break_ties(x, y, k):
    expected = mean_over_orders(x, y, k, lambda taken: y.max() - taken.max())
    assert regret_at(x, y, k) == pytest.approx(expected, abs=1e-12)
    assert regret_at(x, y, k) >= 0


@given(SMALL, st.permutations(range(6)), st.integers(1, 6))
def test_recall_is_the_mean_over_all_ways_to_break_ties(x, order, k):
    y = np.array(order, float)
    best = np.sort(y)[-k:]
    expected = mean_over_orders(x, y, k, lambda taken: np.isin(taken, best).sum() / k)
    assert top_recall(x, y, k) == pytest.approx(expected, abs=1e-12)
    assert top_recall(y, x, k) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [1, 5, 40])
@pytest.mark.parametrize("decimals", [0, 6], ids=["ties", "no ties"])
def test_ndcg_is_scikit_learns_with_gains_from_0_to_1(k, decimals):
    rng = np.random.default_rng(k)
    x, y = rng.normal(size=(2, 40)).round(decimals)
    gains = (y - y.min()) / (y.max() - y.min())
    assert ndcg_at(x, y, k) == pytest.approx(ndcg_score([gains], [x], k=k), rel=1e-9)


def test_closed_forms():
    x, y = np.array([4.0, 3, 2, 1]), np.array([0.7, 0.9, 0.8, 0.6])
    assert top_recall(x, y, 1) == 0
    assert top_recall(x, y, 2) == 0.5
    assert top_recall(x, y, 4) == 1
    assert regret_at(x, y, 1) == pytest.approx(0.2, rel=1e-12)
    assert regret_at(x, y, 2) == 0
    # Gains 1/3, 1, 2/3, 0 in the order of x; the best order is 1, 2/3.
    second = 1 / math.log2(3)
    assert ndcg_at(x, y, 2) == pytest.approx((1 / 3 + second) / (1 + 2 / 3 * second), rel=1e-12)
    assert math.isnan(ndcg_at(x, np.ones(4), 2))


@given(SMALL, st.permutations(range(6)), st.integers(1, 6))
def test_a_monotone_map_of_the_score_and_the_scale_of_the_accuracy_change_nothing(x, order, k):
    y = np.array(order, float)
    for what in (top_recall, ndcg_at):
        assert what(np.exp(x), 2 * y + 1, k) == pytest.approx(what(x, y, k), rel=1e-12)
    assert regret_at(np.exp(x), 2 * y + 1, k) == pytest.approx(2 * regret_at(x, y, k), abs=1e-12)
    assert (top_recall(y, y, k), regret_at(y, y, k)) == (1, 0)
    assert ndcg_at(y, y, k) == pytest.approx(1, rel=1e-12)


def test_many_ties_cost_no_digits():
    # Of 1,000 equal scores 100 are drawn: the mean best of them, by simulation.
    rng = np.random.default_rng(0)
    y = rng.normal(size=1000)
    draws = [rng.choice(y, 100, replace=False).max() for _ in range(4000)]
    expected = y.max() - np.mean(draws)
    spread = np.std(draws) / math.sqrt(4000)
    assert regret_at(np.zeros(1000), y, 100) == pytest.approx(expected, abs=5 * spread)


def test_a_top_share_holds_the_models_tied_with_its_last():
    truth = pd.Series([0.9, 0.8, np.nan, 0.8, 0.7, 0.6], list("abcdef"))
    assert top_share(truth, 0.2).tolist() == [True, False, False, False, False, False]
    assert top_share(truth, 0.4).tolist() == [True, True, False, True, False, False]
    assert top_share(truth, 1.0).tolist() == [True, True, False, True, True, True]
    assert top_share(truth, 1e-9).sum() == 1


@pytest.mark.parametrize(("values", "share"), [([0.5], 0.0), ([0.5], 1.5), ([np.nan], 0.2)])
def test_a_top_share_of_nothing_is_refused(values, share):
    with pytest.raises(InputError, match="models with an accuracy and a share above 0"):
        top_share(pd.Series(values), share)
