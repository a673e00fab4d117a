"""Cosine distances from Euclidean ones, also where their rounding would count."""

import numpy as np
import pytest

from zoo_eval.quantities.distances import squared_distances
from zoo_eval.scores import _metric
from zoo_eval.scores._metric import squared_by_metric


def unit_distances(z):
    u = z / np.linalg.norm(z, axis=1, keepdims=True)
    return np.square(u[:, None] - u).sum(axis=2)


@pytest.mark.parametrize("images", [slice(3, 9), np.array([7, 0, 7])])
def test_cosine_from_euclidean(images, monkeypatch):
    z = np.random.default_rng(0).normal(size=(30, 8)) + 0.5
    expected = unit_distances(z)[images]
    monkeypatch.setattr(_metric, "distances_of", None)  # no second Gram matrix
    found = squared_by_metric(z, squared_distances(z), "cosine")(images)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_lengths_that_differ_much_take_another_gram_matrix():
    # ‖x − y‖² of the short ones is rounded by 1e-15 of the long ones' 1e12, all that they have.
    z = np.random.default_rng(1).normal(size=(20, 8))
    z[:10] *= 1e6
    z[10:] *= 1e-2
    from_all = squared_by_metric(z, squared_distances(z), "cosine")
    np.testing.assert_allclose(from_all(slice(0, 20)), unit_distances(z), rtol=1e-10, atol=1e-13)


def test_what_is_returned_may_be_changed():
    z = np.random.default_rng(2).normal(size=(6, 3))
    for metric in ("cosine", "euclidean"):
        distances = squared_by_metric(z, squared_distances(z), metric)
        distances(slice(0, 6))[:] = -1
        assert (distances(slice(0, 6)) >= 0).all()
