"""Closed forms and independent references of the statistics of plain arrays."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from zoo_eval.correlation import (
    holm,
    kendall_tau,
    partial_spearman,
    spearman_p_value,
    spearman_rho,
    weighted_tau,
)

TIED_X = np.array([1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 5.0, 8.0])
TIED_Y = np.array([0.3, 0.1, 0.5, 0.5, 0.2, 0.9, 0.9, 0.7])
ORDERS = st.permutations(range(8))


def test_spearman_closed_form_without_ties():
    # 1 - 6 Σd² / (n(n² - 1)) with d = (1, -1, 0, 0, 0): 1 - 12/120
    x, y = np.array([1, 2, 3, 4, 5]), np.array([2, 1, 3, 4, 5])
    assert spearman_rho(x, y) == pytest.approx(0.9, rel=1e-12)


def test_kendall_closed_form_with_ties():
    # x ties one pair, y none; of the other five pairs four agree: 3 / √(5 · 6)
    x, y = np.array([1, 1, 2, 3]), np.array([1, 2, 4, 3])
    assert kendall_tau(x, y) == pytest.approx(3 / math.sqrt(30), rel=1e-12)


def test_spearman_equals_scipy_with_ties():
    expected = stats.spearmanr(TIED_X, TIED_Y)
    assert spearman_rho(TIED_X, TIED_Y) == pytest.approx(expected.statistic, rel=1e-12)
    # The t distribution written out.
    rho, n = expected.statistic, len(TIED_X)
    t = rho * math.sqrt((n - 2) / (1 - rho * rho))
    assert spearman_p_value(TIED_X, TIED_Y) == pytest.approx(2 * stats.t.sf(t, n - 2), rel=1e-9)


def test_kendall_equals_counting_pairs():
    pairs = [(i, j) for i in range(8) for j in range(i)]
    s = np.array([np.sign(TIED_X[i] - TIED_X[j]) for i, j in pairs])
    t = np.array([np.sign(TIED_Y[i] - TIED_Y[j]) for i, j in pairs])
    expected = (s @ t) / math.sqrt((s @ s) * (t @ t))
    assert kendall_tau(TIED_X, TIED_Y) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("statistic", [spearman_rho, kendall_tau])
def test_a_constant_has_no_correlation(statistic):
    assert math.isnan(statistic(np.ones(5), np.arange(5.0)))
    assert math.isnan(statistic(np.arange(5.0), np.ones(5)))


@pytest.mark.parametrize("statistic", [spearman_rho, kendall_tau, weighted_tau])
@given(order=ORDERS)
def test_bounds_and_sign(statistic, order):
    x, y = np.arange(8.0), np.array(order, float)
    assert -1 - 1e-12 <= statistic(x, y) <= 1 + 1e-12
    assert statistic(y, y) == pytest.approx(1, rel=1e-12)
    assert statistic(-y, y) == pytest.approx(-1, rel=1e-12)


@pytest.mark.parametrize("statistic", [spearman_rho, kendall_tau, weighted_tau])
@given(order=ORDERS)
def test_the_order_of_models_does_not_matter(statistic, order):
    shuffled = statistic(TIED_X[list(order)], TIED_Y[list(order)])
    assert shuffled == pytest.approx(statistic(TIED_X, TIED_Y), rel=1e-12)


def pairwise_weighted_tau(x, y):
    """The definition, pair by pair, once for each of the two rankings."""

    def ranked_by(first, second):
        order = np.lexsort((second, first))[::-1]  # largest first, ties by the other side
        rank = np.empty(len(x))
        rank[order] = np.arange(len(x))
        weight = 1 / (1 + rank[:, None]) + 1 / (1 + rank[None, :])
        np.fill_diagonal(weight, 0)
        s = np.sign(x[:, None] - x[None, :])
        t = np.sign(y[:, None] - y[None, :])
        return (weight * s * t).sum() / math.sqrt((weight * s * s).sum() * (weight * t * t).sum())

    return (ranked_by(x, y) + ranked_by(y, x)) / 2


def test_weighted_tau_closed_form():
    # Only the best two swap. By either ranking their pair weighs 1 + 1/2 of 11/3 in all:
    # pairs (0,1) 3/2, (0,2) 4/3, (1,2) 5/6.
    swapped_best = weighted_tau(np.array([1, 2, 3]), np.array([1, 3, 2]))
    assert swapped_best == pytest.approx(1 - 2 * (3 / 2) / (11 / 3), rel=1e-12)
    swapped_worst = weighted_tau(np.array([1, 2, 3]), np.array([2, 1, 3]))
    assert swapped_worst == pytest.approx(1 - 2 * (5 / 6) / (11 / 3), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("decimals", [0, 6], ids=["ties", "no ties"])
def test_weighted_tau_equals_the_pairwise_definition(seed, decimals):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=30).round(decimals)
    y = (x + rng.normal(size=30)).round(decimals)
    assert weighted_tau(x, y) == pytest.approx(pairwise_weighted_tau(x, y), rel=1e-9)


@pytest.mark.parametrize("statistic", [spearman_rho, kendall_tau, weighted_tau])
def test_a_missing_value_or_a_constant_gives_no_statistic(statistic):
    missing = np.array([0.1, np.nan, 0.3])
    for x, y in ((missing, np.arange(3)), (np.arange(3), missing), (np.ones(3), np.arange(3))):
        assert math.isnan(statistic(x, y))


def test_partial_of_one_control_is_the_textbook_formula():
    rng = np.random.default_rng(0)
    z = rng.normal(size=50).round(1)
    x, y = (z + rng.normal(size=50)).round(1), (z + rng.normal(size=50)).round(1)
    xy, xz, yz = (stats.spearmanr(a, b).statistic for a, b in [(x, y), (x, z), (y, z)])
    expected = (xy - xz * yz) / math.sqrt((1 - xz**2) * (1 - yz**2))
    assert partial_spearman(x, y, z[:, None]) == pytest.approx(expected, rel=1e-9)


def test_partial_of_two_controls_is_the_inverse_correlation_matrix():
    rng = np.random.default_rng(1)
    data = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4))
    precision = np.linalg.inv(stats.spearmanr(data).statistic)
    expected = -precision[0, 1] / math.sqrt(precision[0, 0] * precision[1, 1])
    assert partial_spearman(data[:, 0], data[:, 1], data[:, 2:]) == pytest.approx(expected, 1e-9)


def test_partial_given_parameters_and_given_their_logarithm_are_the_same():
    rng = np.random.default_rng(2)
    params = rng.lognormal(17, 1, size=(30, 1))
    x, y = rng.normal(size=30), rng.normal(size=30)
    assert partial_spearman(x, y, np.log(params)) == partial_spearman(x, y, params)


def test_nothing_is_left_of_a_score_whose_order_the_control_fixes():
    z = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    y = np.array([0.1, 0.2, 0.4, 0.3, 0.6, 0.5])
    assert math.isnan(partial_spearman(np.exp(z), y, z[:, None]))
    assert math.isnan(partial_spearman(y, -z, z[:, None]))
    assert math.isnan(partial_spearman(np.ones(6), y, z[:, None]))


def test_holm_closed_form_from_the_paper_rule():
    p = np.array([0.01, 0.02, 0.03, 0.5])
    # 4·0.01, 3·0.02, 2·0.03 and 1·0.5
    np.testing.assert_allclose(holm(p), [0.04, 0.06, 0.06, 0.5], rtol=1e-12)


def test_holm_is_capped_at_one_and_leaves_nan_out_of_the_count():
    p = np.array([np.nan, 0.9, 0.6])
    np.testing.assert_allclose(holm(p), [np.nan, 1.0, 1.0])
    assert holm(np.array([])).size == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.001, 0.2))
def test_holm_rejects_exactly_what_the_step_down_rule_rejects(p_values, level):
    p = np.array(p_values)
    rejected = np.zeros(len(p), bool)
    for step, i in enumerate(np.argsort(p, kind="stable")):
        if p[i] * (len(p) - step) > level:
            break
        rejected[i] = True
    np.testing.assert_array_equal(holm(p) <= level, rejected)
