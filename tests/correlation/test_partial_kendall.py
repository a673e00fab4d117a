"""Partial τ: Kendall's formula, the inverse of the matrix, and signs of pairs one by one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from zoo_eval.correlation import partial_kendall, partial_spearman
from zoo_eval.correlation.partial_of_correlations import partial_of_correlations


def zoo(seed, n=40, controls=2, decimals=1):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, controls)).round(decimals)
    x, y = (z.sum(axis=1) + rng.normal(size=(2, n))).round(decimals)
    return x, y, z


def test_one_control_is_kendalls_formula():
    x, y, z = zoo(0, controls=1)
    xy, xz, yz = (stats.kendalltau(a, b).statistic for a, b in [(x, y), (x, z[:, 0]), (y, z[:, 0])])
    expected = (xy - xz * yz) / math.sqrt((1 - xz**2) * (1 - yz**2))
    assert partial_kendall(x, y, z) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("controls", [2, 4])
def test_several_controls_are_a_regression_of_the_signs_of_all_pairs(controls):
    x, y, z = zoo(1, controls=controls)
    i, j = np.triu_indices(len(x), 1)
    signs = [np.sign(v[i] - v[j]) for v in (*z.T, x, y)]
    held = np.column_stack(signs[:-2])
    left = [s - held @ np.linalg.lstsq(held, s, rcond=None)[0] for s in signs[-2:]]
    expected = (left[0] @ left[1]) / math.sqrt((left[0] @ left[0]) * (left[1] @ left[1]))
    assert partial_kendall(x, y, z) == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 10_000))
def test_bounds_signs_and_monotone_maps(seed):
    x, y, z = zoo(seed, n=15)
    found = partial_kendall(x, y, z)
    assert -1 - 1e-9 <= found <= 1 + 1e-9
    assert partial_kendall(-x, y, z) == pytest.approx(-found, rel=1e-9, abs=1e-12)
    assert partial_kendall(np.exp(x), y, -np.exp(z)) == pytest.approx(found, rel=1e-9, abs=1e-12)


def test_a_control_given_twice_counts_once():
    x, y, z = zoo(2, controls=1)
    twice = partial_kendall(x, y, np.hstack([z, 3 * z]))
    assert twice == pytest.approx(partial_kendall(x, y, z), rel=1e-9)


def test_nothing_is_left_where_a_control_fixes_the_order_or_is_constant():
    x, y, z = zoo(3, controls=1)
    assert math.isnan(partial_kendall(np.exp(z[:, 0]), y, z))
    assert math.isnan(partial_kendall(x, -z[:, 0], z))
    assert math.isnan(partial_kendall(x, y, np.ones((len(x), 1))))


@pytest.mark.parametrize("controls", [1, 3])
def test_of_the_matrix_of_rho_it_is_the_regression_of_ranks(controls):
    x, y, z = zoo(4, controls=controls)
    columns = np.column_stack([z, x, y])
    matrix = stats.spearmanr(columns).statistic
    found = partial_of_correlations(matrix)
    assert float(found) == pytest.approx(partial_spearman(x, y, z), rel=1e-9)
    broken = np.stack([matrix, np.full_like(matrix, np.nan), matrix])
    of_three = partial_of_correlations(broken)
    assert np.isnan(of_three).tolist() == [False, True, False]
    assert of_three[0] == of_three[2] == pytest.approx(float(found), rel=1e-12)
