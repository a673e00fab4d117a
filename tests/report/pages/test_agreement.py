"""Two scores against each other: against the obvious loop over all pairs."""

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from zoo_eval.correlation.partial import partial_spearman
from zoo_eval.report.pages.agreement import agreement
from zoo_eval.report.pages.control import at_equal_size

few = st.integers(0, 5).map(float)


@settings(deadline=None)
@given(st.lists(st.tuples(few, few, few), min_size=3, max_size=12))
def test_pairs_are_those_of_the_obvious_loop(rows):
    a, b, t = np.array(rows).T
    found = agreement(a, b, t)
    opposed = [
        (np.sign(a[i] - a[j]) == np.sign(t[i] - t[j]))
        for i, j in combinations(range(len(a)), 2)
        if (a[i] - a[j]) * (b[i] - b[j]) < 0 and t[i] != t[j]
    ]
    assert found.pairs == len(opposed)
    assert found.n == len(rows)
    if opposed:
        assert found.first == np.mean(opposed)
    else:
        assert np.isnan(found.first)


def test_pairs_of_many_models_are_all_counted_once():
    a, b, t = np.random.default_rng(0).integers(0, 40, size=(3, 700)).astype(float)
    signs = (np.sign(column[:, None] - column) for column in (a, b, t))
    of_a, of_b, of_t = (sign[np.triu_indices(700, 1)] for sign in signs)
    opposed = (of_a * of_b < 0) & (of_t != 0)
    found = agreement(a, b, t)
    assert found.pairs == opposed.sum()
    assert found.first == np.mean(of_a[opposed] == of_t[opposed])


def test_rho_is_spearmans():
    rng = np.random.default_rng(0)
    a, b, t = rng.normal(size=(3, 40))
    found = agreement(a, b, t)
    np.testing.assert_allclose(found.rho, stats.spearmanr(a, b).statistic, rtol=1e-12)
    assert found.ranks[np.argmax(t), 2] == 1  # 1 is the best


def test_a_constant_score_has_no_rho():
    found = agreement(np.ones(4), np.arange(4.0), np.arange(4.0))
    assert np.isnan(found.rho)
    assert found.pairs == 0


def test_what_is_left_at_equal_size_correlates_as_the_partial_rho_says():
    rng = np.random.default_rng(1)
    size = rng.lognormal(size=50)
    score, accuracy = np.log(size) + rng.normal(size=(2, 50))
    x, y = at_equal_size(score, accuracy, size)
    expected = partial_spearman(score, accuracy, size[:, None])
    np.testing.assert_allclose(np.corrcoef(x, y)[0, 1], expected, rtol=1e-9)
    ranks = stats.rankdata(size)
    np.testing.assert_allclose([ranks @ x - ranks.mean() * x.sum()], 0, atol=1e-8)


def test_equal_sizes_explain_nothing():
    x, _ = at_equal_size(np.array([3.0, 1, 2]), np.array([1.0, 2, 3]), np.ones(3))
    assert x.tolist() == [1, -1, 0]
