"""Intervals by family against the definition, and their coverage on families not seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.correlation.conformal import cv_plus_intervals


def written_out(predictions, residuals, families, level):
    """The least value whose weight, with all below it, reaches the level; one family is missing."""
    n_families = len(set(families))
    ends = []
    for sign in (-1, 1):
        of_models = []
        for column in predictions.T:
            values = sign * column + residuals
            weight = [1 / ((n_families + 1) * (families == f).sum()) for f in families]
            reached = [v for v in values if sum(np.array(weight)[values <= v]) >= level - 1e-12]
            of_models.append(sign * min(reached, default=np.inf))
        ends.append(of_models)
    return np.array(ends)


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9]))
def test_the_ends_are_those_of_the_definition(seed, level):
    rng = np.random.default_rng(seed)
    families = np.concatenate([np.arange(7), rng.integers(0, 7, size=13)])
    predictions, residuals = rng.normal(size=(20, 4)), rng.exponential(size=20)
    found = cv_plus_intervals(predictions, residuals, families, level)
    expected = written_out(predictions, residuals, families, level)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_models_that_are_families_of_their_own_have_the_intervals_of_the_jackknife():
    # The ⌈level (n + 1)⌉-th of n sorted values: the 9th of 9 for 90 %, the 5th for 50 %.
    rng = np.random.default_rng(0)
    predictions, residuals = rng.normal(size=(9, 3)), rng.exponential(size=9)
    low, high = cv_plus_intervals(predictions, residuals, np.arange(9), 0.9)
    np.testing.assert_array_equal(high, (predictions + residuals[:, None]).max(axis=0))
    np.testing.assert_array_equal(low, (predictions - residuals[:, None]).min(axis=0))
    low, high = cv_plus_intervals(predictions, residuals, np.arange(9), 0.5)
    np.testing.assert_array_equal(high, np.sort(predictions + residuals[:, None], axis=0)[4])
    np.testing.assert_array_equal(low, np.sort(predictions - residuals[:, None], axis=0)[4])


def test_too_few_families_have_no_ends():
    predictions, residuals = np.zeros((80, 2)), np.ones(80)
    low, high = cv_plus_intervals(predictions, residuals, np.arange(80) % 8, 0.9)
    assert (low == -np.inf).all()
    assert (high == np.inf).all()


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_a_new_family_is_covered_as_often_as_the_level_says(level):
    # Families of 1 to 30 models that err together. Without the weights of families it is a
    # plain quantile over models, in which the large families speak for all.
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(400):
        sizes = rng.integers(1, 31, size=41)
        offsets = rng.normal(size=41)
        residuals = np.abs(
            np.repeat(offsets[:-1], sizes[:-1]) + 0.3 * rng.normal(size=sizes[:-1].sum())
        )
        families = np.repeat(np.arange(40), sizes[:-1])
        low, high = cv_plus_intervals(np.zeros((len(residuals), 1)), residuals, families, level)
        new = offsets[-1] + 0.3 * rng.normal(size=sizes[-1])
        covered.append(np.mean((low[0] <= new) & (new <= high[0])))
    # Standard error of the mean of 400: at most 0.02.
    assert level - 0.05 <= np.mean(covered) <= level + 0.07
