"""Permutation importance against scikit-learn's, and where its value is known."""

import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression

from zoo_eval.correlation import shuffled
from zoo_eval.correlation.shuffled import importance_of_each


@pytest.fixture
def fitted():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 5))
    y = x @ [3.0, 1.0, 0.3, 0.0, -1.0] + rng.normal(0, 0.1, 80)
    return LinearRegression().fit(x[:40], y[:40]), x[40:], y[40:]


@pytest.mark.parametrize("rows", [1, 20_000])
def test_it_is_that_of_scikit_learn(fitted, monkeypatch, rows):
    monkeypatch.setattr(shuffled, "_ROWS", rows)
    model, x, y = fitted
    ours = importance_of_each(
        *(model.predict, x, y), behind=np.arange(5), n_features=5, shuffles=400, seed=0
    )
    theirs = permutation_importance(
        model, x, y, scoring="neg_mean_absolute_error", n_repeats=400, random_state=0
    )
    errors = theirs.importances_std / 20  # of the mean of 400 shuffles
    assert (np.abs(ours - theirs.importances_mean) < 5 * errors + 1e-12).all()


def test_a_feature_that_is_not_used_has_none_and_a_swap_its_exact_value():
    x = np.array([[0.0, 5.0], [1.0, 7.0]])
    found = importance_of_each(
        *(lambda rows: rows[:, 0], x, x[:, 0]),
        behind=np.arange(2),
        n_features=2,
        shuffles=50,
        seed=1,
    )
    assert found[1] == 0
    # A shuffle of two leaves them, or errs by 1 for both: a multiple of 1/50.
    assert 0 < found[0] < 1
    assert found[0] * 50 == pytest.approx(round(found[0] * 50), abs=1e-12)


def test_the_columns_of_a_feature_are_shuffled_together():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    columns = np.column_stack([x[:, 1], x[:, 0], -x[:, 1]])  # which cancel each other
    found = importance_of_each(
        *(lambda rows: rows.sum(axis=1), columns, x[:, 0]),
        behind=np.array([2, 0, 2]),
        n_features=4,
        shuffles=20,
        seed=0,
    )
    assert found[0] > 0.5
    assert found[[1, 2, 3]] == pytest.approx([0, 0, 0], abs=1e-12)
