"""Pearson's r against its closed form and numpy, and where it must not lose its digits."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.correlation import PearsonBootstrap, family_resamples, pearson_r

VALUES = st.lists(st.integers(-1000, 1000), min_size=6, max_size=6).map(np.array)


def test_closed_form():
    # Deviations (-1, 0, 1) and (-1, 1, 0): 1 / √(2 · 2)
    assert pearson_r(np.array([1, 2, 3]), np.array([4, 6, 5])) == pytest.approx(0.5, rel=1e-12)


@given(VALUES, VALUES, st.floats(0.1, 10), st.floats(-100, 100))
def test_a_line_keeps_it_and_a_falling_line_turns_its_sign(x, y, slope, offset):
    r = pearson_r(x, y)
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert math.isnan(r)
        return
    assert r == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-9, abs=1e-12)
    assert pearson_r(slope * x + offset, y) == pytest.approx(r, rel=1e-6, abs=1e-9)
    assert pearson_r(-slope * x + offset, y) == pytest.approx(-r, rel=1e-6, abs=1e-9)
    assert pearson_r(y, x) == pytest.approx(r, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("scale", [1e-300, 1e150, 1e300], ids=str)
def test_squares_of_large_and_small_scores_are_no_problem(scale):
    x, y = np.array([1.0, 2.0, 4.0, 3.0]), np.array([0.1, 0.2, 0.3, 0.4])
    expected = pearson_r(x, y)
    assert pearson_r(x * scale, y) == pytest.approx(expected, rel=1e-9)
    resamples = family_resamples(range(4), 50, seed=0)
    of_truth = PearsonBootstrap(y, resamples)
    np.testing.assert_allclose(of_truth(x * scale), of_truth(x), rtol=1e-9)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan], ids=str)
def test_a_value_that_is_not_finite_leaves_nothing(bad):
    x, y = np.array([1.0, 2.0, bad, 3.0]), np.array([0.1, 0.2, 0.3, 0.4])
    assert math.isnan(pearson_r(x, y))
    assert math.isnan(pearson_r(y, x))
    assert np.isnan(PearsonBootstrap(y, family_resamples(range(4), 9, seed=0))(x)).all()


def test_a_constant_leaves_nothing_whatever_its_value():
    y = np.array([0.1, 0.2, 0.3, 0.4])
    for constant in (0.0, 0.1, 1e300, -7.3):
        assert math.isnan(pearson_r(np.full(4, constant), y))
