import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import cdnv


def data(n=24, d=5, classes=4, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_cdnv(z, labels):
    """Pair by pair."""
    classes = [z[labels == c] for c in np.unique(labels)]
    values = []
    for i, first in enumerate(classes):
        for second in classes[:i]:
            variances = first.var(axis=0).sum() + second.var(axis=0).sum()
            distance = np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2)
            values.append(variances / 2 / distance)
    return np.mean(values)


# 1. closed forms


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_two_classes(offset):
    # Variances 1 and 0, means 6 apart.
    z = np.array([[2.0], [4.0], [-3.0], [-3.0]]) + offset
    value = cdnv(embeddings=z, labels=np.array([0, 0, 1, 1]))
    assert value == pytest.approx(1 / 72, rel=1e-12)


def test_mean_over_pairs():
    # Variances 1, 1, 0 at 0, 4, 8: 2/32, 1/32, 1/128.
    z = np.array([[-1.0], [1.0], [3.0], [5.0], [8.0]])
    value = cdnv(embeddings=z, labels=np.array([0, 0, 1, 1, 2]))
    assert value == pytest.approx((2 / 32 + 1 / 32 + 1 / 128) / 3, rel=1e-12)


def test_collapsed_classes_give_zero():
    labels = np.repeat(np.arange(3), 4)
    assert cdnv(embeddings=np.eye(3)[labels], labels=labels) == pytest.approx(0, abs=1e-15)


# 2. independent values


def test_equals_neural_collapse(reference_embeddings, parity, expected, case):
    # The program computes in float32 in parts, hence its tolerance of 1.1e-5.
    z, labels, _ = reference_embeddings(case)
    value = cdnv(embeddings=z, labels=labels)
    parity.embeddings(case, "cdnv", value)
    assert value == pytest.approx(expected(case, "cdnv", "rederived"), rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d"), [(24, 5), (24, 24), (12, 30), (24, 1)])
def test_equals_the_slow_definition(dtype, n, d):
    z, labels = data(n, d)
    z = z.astype(dtype)
    slow = slow_cdnv(z.astype(np.float64), labels)
    assert cdnv(embeddings=z, labels=labels) == pytest.approx(slow, rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    value = cdnv(embeddings=z, labels=labels)
    moved_value = cdnv(embeddings=moved[order], labels=renamed[order])
    assert moved_value == pytest.approx(value, rel=1e-9)
    assert value >= 0


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"CDNV .* but all 5 images"):
        cdnv(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_classes_of_one_image_are_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"CDNV .* each of the 5 images is the only"):
        cdnv(embeddings=np.eye(5), labels=np.arange(5))


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_embeddings_are_undefined(value):
    with pytest.raises(ScoreUndefinedError, match="class means that differ, but all 3 are equal"):
        cdnv(embeddings=np.full((60, 30), value), labels=np.arange(60) % 3)


def test_equal_means_of_two_classes_are_undefined():
    z, labels = data(24, 6, 4)
    z[labels == 1] = z[labels == 0][::-1]
    with pytest.raises(ScoreUndefinedError, match="in 1 of 6 pairs of classes they are equal"):
        cdnv(embeddings=z, labels=labels)
