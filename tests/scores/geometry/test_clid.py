import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import zscore

from zoo_eval.scores import clid

# 1. closed forms


def test_two_models():
    np.testing.assert_allclose(clid([0.2, 0.4], [10, 30]), [-2, 2], rtol=1e-12)
    np.testing.assert_allclose(clid([0.2, 0.4], [30, 10]), [0, 0], atol=1e-12)


def test_a_part_that_is_the_same_for_all_counts_as_nothing():
    np.testing.assert_allclose(clid([0.7, 0.7], [30, 10]), [1, -1], rtol=1e-12)
    np.testing.assert_array_equal(clid([0.7], [30]), [0])


# 2. independent values


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 20))
def test_sum_of_scipys_z_scores(seed, n):
    learnability, dimension = np.random.default_rng(seed).lognormal(size=(2, n))
    value = clid(cluster_learnability=learnability, twonn=dimension)
    np.testing.assert_allclose(value, zscore(learnability) + zscore(dimension), rtol=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1))
def test_unchanged_by_units_and_moved_with_the_models(seed):
    rng = np.random.default_rng(seed)
    learnability, dimension = rng.lognormal(size=(2, 8))
    order = rng.permutation(8)
    value = clid(learnability, dimension)
    again = clid(100 * learnability[order], dimension[order] + 3)
    np.testing.assert_allclose(again, value[order], rtol=1e-9, atol=1e-9)
    assert value.mean() == pytest.approx(0, abs=1e-12)


def test_a_model_without_a_part_has_no_value_and_does_not_count():
    value = clid([0.2, 0.4, np.nan], [10, 30, 1000])
    np.testing.assert_allclose(value, [-2, 2, np.nan], rtol=1e-12)
