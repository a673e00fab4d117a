import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import LeaveOneOut, cross_val_score
from sklearn.neighbors import NearestCentroid

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import ncm_accuracy


def data(n=60, d=5, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_ncm(z, labels):
    """Each image left out in turn; of m nearest means each counts 1/m."""
    right = []
    for i in range(len(z)):
        rest = np.arange(len(z)) != i
        classes = np.unique(labels[rest])
        means = np.stack([z[rest & (labels == c)].mean(axis=0) for c in classes])
        distances = np.linalg.norm(z[i] - means, axis=1)
        nearest = classes[np.isclose(distances, distances.min(), rtol=1e-9, atol=1e-12)]
        right.append(np.isin(labels[i], nearest) / len(nearest))
    return np.mean(right)


# 1. closed forms


def test_separated_classes_are_all_right():
    labels = np.arange(40) % 4
    assert ncm_accuracy(np.eye(4)[labels], labels) == 1


def test_an_image_does_not_count_in_its_own_mean():
    # Without itself the first image is 2 from the mean of its class and 1.5 from the other's, and
    # the second 2 and 0.5; the means with them are at 0, 1 from both.
    z = np.array([[-1.0], [1.0], [0.5], [0.5]])
    assert ncm_accuracy(z, np.array([0, 0, 1, 1])) == 0.5


def test_equal_embeddings_are_chance():
    assert ncm_accuracy(np.full((12, 3), 0.1), np.arange(12) % 4) == 0.25


def test_an_image_alone_in_its_class_is_wrong():
    z = np.array([[0.0], [0.1], [5.0], [9.0]])
    assert ncm_accuracy(z, np.array([0, 0, 1, 2])) == 0.5


def test_random_images_in_many_dimensions_are_not_all_right():
    z, labels = data(100, 1000, 10, signal=0)
    means = np.stack([z[labels == c].mean(axis=0) for c in range(10)])
    with_itself = np.argmin(np.linalg.norm(z[:, None] - means, axis=2), axis=1) == labels
    assert with_itself.all()
    # 100 images at 1/10 each: a standard deviation of 0.03.
    assert ncm_accuracy(z, labels) == pytest.approx(0.1, abs=0.1)


# 2. independent values


@pytest.mark.parametrize(("n", "d"), [(60, 5), (20, 40), (20, 20), (30, 1)])
@pytest.mark.parametrize("signal", [0.3, 1.0])
def test_equals_scikit_learn(n, d, signal):
    z, labels = data(n, d, signal=signal)
    scores = cross_val_score(NearestCentroid(), z, labels, cv=LeaveOneOut())
    assert ncm_accuracy(z, labels) == pytest.approx(scores.mean(), rel=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_equals_the_slow_definition_with_ties_and_lone_images(seed):
    rng = np.random.default_rng(seed)
    z = rng.integers(0, 3, size=(12, 2)).astype(np.float64)
    labels = np.append(rng.integers(0, 4, size=11), 9)
    labels[:2] = 0, 1
    assert ncm_accuracy(z, labels) == pytest.approx(slow_ncm(z, labels), rel=1e-12)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed, signal=0.5)
    z = np.vstack([z, z[:4]])  # duplicates with other classes
    labels = np.concatenate([labels, rng.integers(0, 3, size=4)])
    order = rng.permutation(len(z))
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    assert ncm_accuracy(moved[order], renamed[order]) == pytest.approx(
        ncm_accuracy(z, labels), rel=1e-12
    )


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 5 images"):
        ncm_accuracy(np.eye(5), np.zeros(5, dtype=np.int64))
