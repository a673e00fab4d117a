"""Rank stability over seeds: closed forms, scipy's Mann–Whitney U, pure noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from zoo_eval.correlation import outranking, pair_certainty, seed_tau


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), seeds=st.integers(1, 5))
def test_equals_mann_whitney(seed, seeds):
    values = np.random.default_rng(seed).integers(0, 4, size=(4, seeds)).astype(float)  # with ties
    shares = outranking(values)
    for i in range(4):
        for j in range(4):
            if i != j:
                u = stats.mannwhitneyu(values[i], values[j]).statistic
                assert shares[i, j] == pytest.approx(u / seeds**2, rel=1e-12)
    np.testing.assert_allclose(shares + shares.T, 1, rtol=1e-12)


def test_missing_values_are_not_compared():
    shares = outranking(np.array([[1.0, np.nan], [0.0, 2.0], [np.nan, np.nan]]))
    assert shares[0, 1] == 0.5
    assert np.isnan(shares[2]).all()
    assert np.isnan(shares[:, 2]).all()
    assert pair_certainty(np.array([[1.0, np.nan], [0.0, 0.5], [np.nan, np.nan]])) == 1


def test_certain_and_uncertain_pairs():
    apart = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
    assert pair_certainty(apart) == 1
    # The first two overlap in 1 of 4 pairs of seeds, both are below the third.
    assert pair_certainty(np.array([[0.0, 2.0], [1.0, 3.0], [4.0, 5.0]])) == (0.75 + 1 + 1) / 3
    # Two seeds of noise: of 6 orders two have P = 1 or 0, two ¾ or ¼, two ½.
    noise = np.random.default_rng(0).normal(size=(1500, 2))
    expected = (2 * 1 + 2 * 0.75 + 2 * 0.5) / 6
    assert pair_certainty(noise) == pytest.approx(expected, abs=0.01)
    shares = outranking(noise)[np.triu_indices(1500, 1)]  # more than are compared at a time
    assert pair_certainty(noise) == pytest.approx(np.maximum(shares, 1 - shares).mean(), rel=1e-12)
    assert np.isnan(pair_certainty(np.array([[1.0, 2.0]])))


def test_tau_between_seeds():
    orders = np.array([[1.0, 1.0, 4.0], [2.0, 2.0, 3.0], [3.0, 4.0, 2.0], [4.0, 3.0, 1.0]])
    # One of six pairs is turned between the first two; the third is the first backwards.
    assert seed_tau(orders) == pytest.approx((4 / 6 - 1 - 4 / 6) / 3, rel=1e-12)
    assert seed_tau(np.exp(orders[:, :1]).repeat(3, axis=1)) == pytest.approx(1, rel=1e-12)


def test_tau_leaves_out_what_has_none():
    nan = np.nan
    values = np.array([[1.0, 2.0, 5.0, nan], [2.0, 3.0, 5.0, 1.0], [3.0, nan, 5.0, nan]])
    assert seed_tau(values) == 1  # of the first two seeds; the third is constant
    assert np.isnan(seed_tau(values[:, :1]))
    assert np.isnan(seed_tau(np.ones((3, 2))))
