import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import multivariate_normal

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import etran_classification


def data(n=40, d=6, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_score(z, labels):
    """Bayes' rule with a normal density of unit variance around each class mean."""
    densities = np.stack(
        [
            np.mean(labels == c) * multivariate_normal.pdf(z, z[labels == c].mean(axis=0))
            for c in np.unique(labels)
        ],
        axis=1,
    )
    posteriors = densities / densities.sum(axis=1, keepdims=True)
    return posteriors[np.arange(len(z)), labels].mean()


# 1. closed forms


@pytest.mark.parametrize("distance", [0.0, 0.1, 1.0, 3.0, 1e6])
def test_two_points(distance):
    z = np.array([[5.0, 0.0], [5.0, distance]])
    value = etran_classification(z, np.array([0, 1]))
    assert value == pytest.approx(expit(distance**2 / 2), rel=1e-12)


def test_equal_class_means_give_the_chance_of_a_guess_by_class_size():
    labels = np.array([0, 0, 1, 1, 1, 1])
    assert etran_classification(np.ones((6, 3)), labels) == pytest.approx(5 / 9, rel=1e-12)


# 2. independent values


def test_equals_the_official_code(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    parity.embeddings(case, "etran/lda", etran_classification(embeddings=z, labels=labels))


@pytest.mark.parametrize(("n", "d"), [(40, 6), (12, 30), (20, 20), (25, 1)])
def test_equals_bayes_rule(n, d):
    z, labels = data(n, d)
    assert etran_classification(z, labels) == pytest.approx(slow_score(z, labels), rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), wide=st.booleans())
def test_unchanged_by_rotation_shift_order_and_class_names(seed, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)
    renamed = np.array([50, 3, 4])[labels]
    assert etran_classification(moved[order], renamed[order]) == pytest.approx(
        etran_classification(z, labels), rel=1e-9
    )


def test_the_unit_of_the_embeddings_matters():
    z, labels = data()
    assert etran_classification(3 * z, labels) > etran_classification(z, labels) + 0.05


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 5 images"):
        etran_classification(np.eye(5), np.zeros(5, dtype=np.int64))
