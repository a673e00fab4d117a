"""Intraclass correlation: closed forms, scipy's analysis of variance, its coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from zoo_eval.correlation import intraclass_correlation


def two_levels(rng, models, seeds, icc):
    """Normal models of variance icc, normal seeds of variance 1 − icc."""
    of_models = np.sqrt(icc) * rng.normal(size=(models, 1))
    return of_models + np.sqrt(1 - icc) * rng.normal(size=(models, seeds))


def test_small_case_by_hand():
    # Means 1, 3 and 8 of the mean 4: M_b = 2 (9 + 1 + 16) / 2 = 26; M_w = (2 + 2 + 2) / 3 = 2.
    found = intraclass_correlation(np.array([[0.0, 2.0], [2.0, 4.0], [7.0, 9.0]]))
    assert found.icc == pytest.approx(24 / 28, rel=1e-12)
    low, high = 13 / stats.f.ppf(0.975, 2, 3), 13 / stats.f.ppf(0.025, 2, 3)
    assert found.low == pytest.approx((low - 1) / (low + 1), rel=1e-12)
    assert found.high == pytest.approx((high - 1) / (high + 1), rel=1e-12)


def test_equal_seeds_are_1_and_equal_models_the_least():
    assert intraclass_correlation(np.array([[1.0, 1, 1], [2, 2, 2]])) == (1, 1, 1)
    rows = np.array([[1.0, 2, 3], [3, 1, 2]])  # the same mean: M_b = 0
    assert intraclass_correlation(rows).icc == pytest.approx(-1 / 2, rel=1e-12)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), models=st.integers(2, 9), seeds=st.integers(2, 5))
def test_equals_scipys_analysis_of_variance(seed, models, seeds):
    values = two_levels(np.random.default_rng(seed), models, seeds, 0.5)
    f = stats.f_oneway(*values).statistic
    found = intraclass_correlation(values)
    assert found.icc == pytest.approx((f - 1) / (f + seeds - 1), rel=1e-9, abs=1e-9)
    assert found.low < found.icc < found.high
    again = intraclass_correlation(1000 - 3 * values[::-1, ::-1])
    assert again == pytest.approx(found, rel=1e-6, abs=1e-9)


def test_the_interval_covers_the_truth_in_95_of_100_and_the_value_goes_to_it():
    rng = np.random.default_rng(0)
    found = [intraclass_correlation(two_levels(rng, 12, 3, 0.7)) for _ in range(2000)]
    covered = np.mean([one.low <= 0.7 <= one.high for one in found])
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 2000)
    large = intraclass_correlation(two_levels(rng, 20_000, 3, 0.7))
    assert large.icc == pytest.approx(0.7, abs=0.02)


def test_unequal_numbers_equal_scipys_and_the_mean_of_two_variances():
    values = np.array([[1.0, 2, 4], [5, np.nan, 6], [9, np.nan, np.nan], [np.nan] * 3])
    rows = [row[~np.isnan(row)] for row in values[:3]]
    f = stats.f_oneway(*rows).statistic
    n = (6 - (9 + 4 + 1) / 6) / 2
    assert intraclass_correlation(values).icc == pytest.approx((f - 1) / (f + n - 1), rel=1e-9)


@pytest.mark.parametrize(
    "values",
    [np.zeros((0, 3)), np.array([[1.0, 2.0]]), np.arange(4.0)[:, None], np.ones((3, 2))],
    ids=["no model", "one model", "one seed", "all equal"],
)
def test_undefined_is_nan(values):
    assert np.isnan(intraclass_correlation(values)).all()
