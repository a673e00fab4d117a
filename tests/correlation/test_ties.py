"""Values shared by several models, against loops over the distinct values."""

import numpy as np
import pytest
from scipy import stats

from zoo_eval.correlation.ties import Values, midranks, sum_of_powers


@pytest.mark.parametrize("decimals", [0, 1, 9], ids=["many ties", "some ties", "no ties"])
def test_values_and_sums_are_those_of_a_loop(decimals):
    rng = np.random.default_rng(decimals)
    x = rng.normal(size=60).round(decimals)
    weights = rng.integers(0, 4, size=(60, 7)).astype(float)
    values = Values(x)
    distinct = sorted(set(x))
    assert x[values.firsts].tolist() == distinct
    counts = [int((x == value).sum()) for value in distinct]
    assert values.shared.tolist() == [count > 1 for count in counts]
    assert values.sizes.tolist() == [count for count in counts if count > 1]
    tied = [np.flatnonzero(x == value) for value in distinct if (x == value).sum() > 1]
    assert values.members.tolist() == [model for models in tied for model in models]
    expected = np.array([weights[models].sum(axis=0) for models in tied]).reshape(-1, 7)
    np.testing.assert_array_equal(values.sums(weights[values.members]), expected)


def test_infinities_and_signed_zeros_are_tied_as_they_compare():
    values = Values(np.array([np.inf, -0.0, -np.inf, 0.0, np.inf]))
    assert values.firsts.tolist() == [2, 1, 0]
    assert values.members.tolist() == [1, 3, 0, 4]


def test_a_constant_is_one_value():
    values = Values(np.ones(3))
    assert (values.firsts.tolist(), values.members.tolist()) == ([0], [0, 1, 2])
    assert values.sums(np.array([[1.0], [2.0], [4.0]])).tolist() == [[7.0]]


@pytest.mark.parametrize("power", [2, 3])
def test_powers_are_summed_over_rows(power):
    weights = np.random.default_rng(0).integers(0, 9, size=(20, 5)).astype(float)
    np.testing.assert_array_equal(sum_of_powers(weights, power), (weights**power).sum(axis=0))
    assert sum_of_powers(weights[:0], power).tolist() == [0.0] * 5


@pytest.mark.parametrize("decimals", [0, 1, 9], ids=["many ties", "some ties", "no ties"])
def test_midranks_are_those_of_scipy(decimals):
    rows = np.random.default_rng(decimals).normal(size=(5, 40)).round(decimals)
    rows[1, 3], rows[2, 5:7], rows[3, :2] = np.nan, -np.inf, (0.0, -0.0)
    np.testing.assert_array_equal(midranks(rows), stats.rankdata(rows, axis=1))
    np.testing.assert_array_equal(midranks(rows[0]), stats.rankdata(rows[0]))
    assert midranks(rows[:0]).shape == (0, 40)
