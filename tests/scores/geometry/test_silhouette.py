import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import silhouette

METRICS = ["euclidean", "cosine"]


def data(n=24, d=5, classes=4, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


# 1. closed forms


def test_two_pairs_on_a_line():
    # a = 1 for all; b = 10.5 outside and 9.5 inside.
    z = np.array([[0.0], [1.0], [10.0], [11.0]])
    value = silhouette(embeddings=z, labels=np.array([0, 0, 1, 1]))
    assert value == pytest.approx(1 - (1 / 10.5 + 1 / 9.5) / 2, rel=1e-12)


def test_an_image_alone_in_its_class_counts_as_zero():
    # 0 and 1: (10 − 1)/10 and (9 − 1)/9; 10 is alone.
    z = np.array([[0.0], [1.0], [10.0]])
    value = silhouette(embeddings=z, labels=np.array([0, 0, 1]))
    assert value == pytest.approx((0.9 + 8 / 9 + 0) / 3, rel=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_collapsed_classes_give_one(metric):
    labels = np.repeat(np.arange(3), 4)
    value = silhouette(embeddings=0.1 * np.eye(3)[labels] + 0.7, labels=labels, metric=metric)
    assert value == pytest.approx(1, rel=1e-12)


def test_swapped_classes_give_almost_minus_one():
    # Each image is at 1000 from its like and has one of the other class at its place.
    z = np.array([[0.0], [1000.0], [0.0], [1000.0]])
    value = silhouette(embeddings=z, labels=np.array([0, 0, 1, 1]))
    assert value == pytest.approx(-0.5, rel=1e-12)  # a = 1000, b = 500


@pytest.mark.parametrize("shift", [0.0, 0.1, 1e3])
def test_copies_in_two_classes_count_as_zero(shift):
    # Three copies at one place in two classes: a = b = 0 there, without rounding noise.
    z = np.array([[0.3, 0.1]] * 4 + [[9.0, 5.0]] * 2) + shift
    value = silhouette(embeddings=z, labels=np.array([0, 0, 1, 1, 2, 2]))
    assert value == pytest.approx(2 / 6, rel=1e-12)


# 2. independent values


@pytest.mark.parametrize("metric", METRICS)
def test_equals_scikit_learn_on_the_reference(reference_embeddings, parity, case, metric):
    z, labels, _ = reference_embeddings(case)
    value = silhouette(embeddings=z, labels=labels, metric=metric)
    parity.embeddings(case, f"silhouette/{metric}", value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("n", "d"), [(24, 5), (24, 24), (12, 30), (24, 2)])
def test_equals_scikit_learn(dtype, metric, n, d):
    z, labels = data(n, d)
    labels[0] = 17  # alone in its class
    z = z.astype(dtype)
    theirs = silhouette_score(z.astype(np.float64), labels, metric=metric)
    value = silhouette(embeddings=z, labels=labels, metric=metric)
    assert value == pytest.approx(theirs, rel=1e-9, abs=1e-12)


# 3. symmetries


@given(
    seed=st.integers(0, 2**32 - 1),
    exponent=st.integers(-20, 20),
    metric=st.sampled_from(METRICS),
)
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, metric):
    rng = np.random.default_rng(seed)
    z, labels = data(14, 4, 3, seed)
    order = rng.permutation(14)
    shift = (metric == "euclidean") * rng.normal(size=4)
    moved = (z @ np.linalg.qr(rng.normal(size=(4, 4)))[0] + shift) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    value = silhouette(embeddings=z, labels=labels, metric=metric)
    moved_value = silhouette(embeddings=moved[order], labels=renamed[order], metric=metric)
    assert moved_value == pytest.approx(value, rel=1e-9, abs=1e-10)
    assert -1 <= value <= 1


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"silhouette .* but all 5 images"):
        silhouette(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_classes_of_one_image_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="each of the 5 images is the only"):
        silhouette(embeddings=np.eye(5), labels=np.arange(5))


@pytest.mark.parametrize("metric", METRICS)
def test_equal_embeddings_are_undefined(metric):
    with pytest.raises(ScoreUndefinedError, match=f"but the {metric} distances between all 6"):
        silhouette(embeddings=np.full((6, 3), 0.1), labels=np.arange(6) % 2, metric=metric)


def test_zero_embeddings_have_no_angle():
    z = np.eye(4)
    z[1] = 0
    with pytest.raises(ScoreUndefinedError, match="but 1 of 4 are zero"):
        silhouette(embeddings=z, labels=np.array([0, 0, 1, 1]), metric="cosine")


def test_unknown_metric():
    with pytest.raises(InputError, match="'cosine' or 'euclidean', but is 'l1'"):
        silhouette(embeddings=np.eye(4), labels=np.array([0, 0, 1, 1]), metric="l1")
