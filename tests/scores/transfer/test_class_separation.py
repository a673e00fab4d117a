import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import class_separation


def data(n=30, d=6, sizes=(4, 9, 17), seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    z = rng.normal(size=(len(labels), d)) + signal * rng.normal(size=(len(sizes), d))[labels]
    return z, labels


def slow_class_separation(z, labels):
    """The definition, from all pairs of images."""
    classes = np.unique(labels)
    distances = np.array(
        [[cdist(z[labels == c], z[labels == e], "cosine").mean() for e in classes] for c in classes]
    )
    return 1 - np.diag(distances).mean() / distances.mean()


# 1. closed forms


def test_a_direction_for_each_class():
    labels = np.arange(12) % 3
    z = np.eye(3)[labels] * np.arange(1, 13)[:, None]
    assert class_separation(z, labels) == 1


def test_equal_classes():
    z = np.tile(np.random.default_rng(0).normal(size=(5, 3)), (2, 1))
    assert class_separation(z, np.repeat([0, 1], 5)) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("angle", [0.1, 1.0, 2.5])
def test_four_directions(angle):
    # Two classes around 0° and `angle`, each ±0.2 rad: m_c has length cos 0.2, the mean of both
    # cos 0.2 · cos(angle / 2).
    angles = np.array([0.2, -0.2, angle + 0.2, angle - 0.2])
    z = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    within, total = np.cos(0.2) ** 2, (np.cos(0.2) * np.cos(angle / 2)) ** 2
    value = 1 - (1 - within) / (1 - total)
    assert class_separation(z, np.array([0, 0, 1, 1])) == pytest.approx(value, rel=1e-12)


# 2. independent value


@pytest.mark.parametrize("signal", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("d", [2, 6, 40])
def test_equals_the_mean_over_pairs(d, signal):
    z, labels = data(d=d, signal=signal)
    assert class_separation(z, labels) == pytest.approx(slow_class_separation(z, labels), rel=1e-9)


def test_equals_the_mean_over_pairs_on_reference_embeddings(reference_embeddings, case):
    z, labels, _ = reference_embeddings(case)
    assert class_separation(z, labels) == pytest.approx(slow_class_separation(z, labels), rel=1e-9)


def test_a_narrow_cone_loses_no_digits():
    # Differences of 1e-9 from one direction: 1 − cos is below the rounding of 1.
    z, labels = data(d=5)
    z = np.column_stack([np.full(30, 1e9), z])
    tangent = z[:, 1:]  # angles are these over 1e9, up to 1e-18
    means = np.stack([tangent[labels == c].mean(axis=0) for c in range(3)])
    within = np.mean([tangent[labels == c].var(axis=0).sum() for c in range(3)])
    between = means.var(axis=0).sum()
    # Components of 1e-9 are stored to 1e-16 of themselves.
    assert class_separation(z, labels) == pytest.approx(between / (within + between), rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1))
def test_unchanged_by_rotation_scale_of_each_image_order_and_class_names(seed):
    rng = np.random.default_rng(seed)
    z, labels = data(seed=seed)
    order = rng.permutation(30)
    moved = z @ np.linalg.qr(rng.normal(size=(6, 6)))[0] * rng.uniform(0.1, 10, size=(30, 1))
    renamed = np.array([50, 3, 4])[labels]
    assert class_separation(moved[order], renamed[order]) == pytest.approx(
        class_separation(z, labels), rel=1e-9
    )


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 100), d=st.integers(2, 8))
def test_between_zero_and_one(seed, signal, d):
    z, labels = data(d=d, seed=seed, signal=signal)
    assert 0 <= class_separation(z, labels) <= 1


def test_an_image_twice_counts_as_often_as_its_class_says():
    # Classes count the same whatever their size: a class twice over changes nothing.
    z, labels = data()
    twice = np.flatnonzero(labels == 1)
    more = np.concatenate([np.arange(30), twice])
    assert class_separation(z[more], labels[more]) == pytest.approx(
        class_separation(z, labels), rel=1e-12
    )


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_no_scale_overflows(scale):
    z, labels = data()
    assert class_separation(z * scale, labels) == pytest.approx(
        class_separation(z, labels), rel=1e-12
    )


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"Class separation .* but all 5 images"):
        class_separation(np.eye(5), np.zeros(5, dtype=np.int64))


def test_a_zero_embedding_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"zero embedding .* but 2 of 4 are zero"):
        class_separation(np.diag([1.0, 1.0, 0.0, 0.0]), np.array([0, 1, 0, 1]))


@pytest.mark.parametrize("d", [1, 3, 500])
def test_one_direction_is_undefined(d):
    z = np.outer([1.0, 2.0, 0.3, 0.7], np.random.default_rng(0).uniform(1, 2, size=d))
    with pytest.raises(ScoreUndefinedError, match="all 4 point the same way"):
        class_separation(z, np.array([0, 1, 0, 1]))
