"""Regressions of several settings at once against scikit-learn's, one by one."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from zoo_eval.correlation.predictor_methods import METHODS

PENALTIES = (1.0, 10.0, 1000.0)
ridges = METHODS["ridge"].regress


@pytest.mark.parametrize("n", [20, 90])  # fewer and more than columns
def test_they_are_those_of_scikit_learn(n):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(n, 40)) + 3, rng.normal(size=n) + 0.7
    new = rng.normal(size=(11, 40))
    for penalty, found in zip(PENALTIES, ridges(x, y, PENALTIES), strict=True):
        expected = Ridge(penalty).fit(x, y)
        np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.predict(new), expected.predict(new), rtol=1e-9)


def test_a_constant_column_has_no_coefficient_and_a_large_penalty_leaves_the_mean():
    x = np.stack([np.ones(5), np.arange(5.0)], axis=1)
    y = np.array([1.0, 3.0, 2.0, 5.0, 4.0])
    weak, strong = ridges(x, y, (1.0, 1e12))
    # Σ(x - 2)(y - 3) = 8 and Σ(x - 2)² = 10.
    assert weak.coef_ == pytest.approx([0, 8 / 11], abs=1e-12)
    assert strong.predict(x) == pytest.approx([3.0] * 5, abs=1e-9)
