import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from zoo_eval.quantities import Resolver, distances
from zoo_eval.quantities.distances import ImageDistances, image_distances, squared_distances


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


def test_rows_are_handled_a_few_at_a_time_without_a_seam():
    z = np.random.default_rng(0).normal(size=(150, 3))
    np.testing.assert_allclose(
        squared_distances(z), cdist(z, z, "sqeuclidean"), rtol=1e-12, atol=1e-13
    )


@pytest.fixture
def many(monkeypatch):
    """Embeddings of too many images for one matrix."""
    monkeypatch.setattr(distances, "MATRIX_UP_TO", 11)
    return np.random.default_rng(2).normal(size=(12, 3)) + 5


SUBSETS = np.array([[0, 3, 4], [11, 2, 0]])


@pytest.mark.parametrize("n", [11, 12])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_are_those_of_the_matrix(many, n, dtype):
    z = many[-n:].astype(dtype)
    before = z.copy()
    subsets = SUBSETS % n
    found = ImageDistances(z).within(subsets)
    matrix = squared_distances(z)
    for block, subset in zip(found, subsets, strict=True):
        np.testing.assert_allclose(block, matrix[np.ix_(subset, subset)], rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(z, before)


def test_the_matrix_of_many_images_is_made_when_asked_for(many, monkeypatch):
    monkeypatch.setattr(distances, "squared_distances", lambda _: pytest.fail("not asked for"))
    found = image_distances(many)
    found.within(SUBSETS)
    assert (len(found), found.n_features) == (12, 3)
    assert "matrix" in vars(_undisturbed(many[:11], monkeypatch))


def _undisturbed(z, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(distances, "MATRIX_UP_TO", 11)
    return image_distances(z)


def test_one_matrix_serves_all():
    z = np.random.default_rng(0).normal(size=(8, 3))
    resolver = Resolver({"embeddings": z}, [("image_distances",), ("squared_distances",)])
    assert resolver.get("squared_distances") is resolver.get("image_distances").matrix
    np.testing.assert_array_equal(resolver.get("squared_distances"), squared_distances(z))
    resolver.release(("image_distances",))
    assert resolver.get("squared_distances") is resolver.get("image_distances").matrix
