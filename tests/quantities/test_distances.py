import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from zoo_eval.quantities.distances import squared_distances


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_equals_scipy_and_leaves_the_embeddings_alone(dtype, order):
    z = np.asarray(np.random.default_rng(0).normal(size=(40, 7)), dtype=dtype, order=order)
    before = z.copy()
    result = squared_distances(z)
    exact = cdist(z.astype(np.float64), z.astype(np.float64), "sqeuclidean")
    np.testing.assert_allclose(result, exact, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(z, before)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30), d=st.integers(1, 40))
def test_symmetric_to_the_last_bit_and_zero_on_the_diagonal(seed, n, d):
    distances = squared_distances(np.random.default_rng(seed).normal(size=(n, d)) * 1e3)
    np.testing.assert_array_equal(distances, distances.T)
    np.testing.assert_array_equal(np.diag(distances), np.zeros(n))
    assert distances.min() >= 0


def test_a_large_mean_costs_no_digits():
    # Halves, quarters … are exact next to 2²⁰, so the distances must be the same; from
    # uncentred squares of 10¹² they would keep only 4 digits.
    z = np.random.default_rng(1).integers(-64, 64, size=(30, 8)) / 64
    far = squared_distances(z + 2.0**20)
    np.testing.assert_allclose(far, squared_distances(z), rtol=1e-9, atol=1e-9)


def test_identical_rows_are_at_distance_zero():
    np.testing.assert_allclose(
        squared_distances(np.full((5, 3), 0.1)), np.zeros((5, 5)), atol=1e-30
    )
