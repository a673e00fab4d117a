import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import transrate


def data(n=30, d=6, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_transrate(z, labels, eps):
    def rate(x):
        return np.linalg.slogdet(np.eye(x.shape[1]) + x.T @ x / (len(x) * eps))[1] / 2

    x = z - z.mean(axis=0)
    return rate(x) - np.mean([rate(x[labels == c]) for c in np.unique(labels)])


# 1. closed forms


@pytest.mark.parametrize("eps", [1e-4, 0.5, 2])
def test_a_direction_of_its_own_for_each_class(eps):
    # Class c lies on axis c, at ±1: in all, each axis has 1/C of the variance.
    labels = np.repeat([0, 1, 2], 4)
    z = np.eye(3)[labels] * np.tile([1.0, -1.0], 6)[:, None]
    value = 1.5 * np.log(1 + 1 / (3 * eps)) - 0.5 * np.log(1 + 1 / eps)
    assert transrate(embeddings=z, labels=labels, eps=eps) == pytest.approx(value, rel=1e-12)


def test_classes_of_equal_distribution_give_zero():
    z = np.tile(np.random.default_rng(0).normal(size=(5, 3)), (2, 1))
    assert transrate(embeddings=z, labels=np.repeat([0, 1], 5)) == pytest.approx(0, abs=1e-12)


def test_unequal_classes_can_be_negative():
    # Two images far out on their own: the class of them has a higher rate than all images.
    z = np.array([[10.0], [-10.0]] + [[0.1], [-0.1]] * 49)
    value = transrate(embeddings=z, labels=np.repeat([0, 1], [2, 98]), eps=100)
    classes = (np.log(2) / 2 + np.log(1 + 1e-4) / 2) / 2
    assert value == pytest.approx(np.log(1 + 200.98 / 1e4) / 2 - classes, rel=1e-12)


# 2. independent values


def test_equals_the_official_code(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    parity.embeddings(case, "transrate/tllib", transrate(embeddings=z, labels=labels))


@pytest.mark.parametrize(("n", "d"), [(30, 6), (12, 40), (20, 20), (25, 1)])
@pytest.mark.parametrize("eps", [1e-4, 1])
def test_equals_the_slow_definition(n, d, eps):
    z, labels = data(n, d)
    assert transrate(embeddings=z, labels=labels, eps=eps) == pytest.approx(
        slow_transrate(z, labels, eps), rel=1e-9
    )


def test_noise_in_many_dimensions_gets_hundreds_of_nats():
    z, labels = data(200, 300, 4, signal=0)
    assert transrate(embeddings=z, labels=labels) > 300


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), wide=st.booleans())
def test_unchanged_by_rotation_shift_order_and_class_names(seed, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)
    renamed = np.array([50, 3, 4])[labels]
    assert transrate(embeddings=moved[order], labels=renamed[order]) == pytest.approx(
        transrate(embeddings=z, labels=labels), rel=1e-9
    )


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100))
def test_scale_is_another_distortion(seed, scale):
    z, labels = data(seed=seed)
    assert transrate(embeddings=z * scale, labels=labels, eps=scale**2) == pytest.approx(
        transrate(embeddings=z, labels=labels, eps=1), rel=1e-9
    )


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 10), d=st.integers(1, 15))
def test_equal_classes_are_never_negative(seed, signal, d):
    z, labels = data(12, d, 4, seed, signal)
    assert transrate(embeddings=z, labels=labels) >= -1e-9


# 4. errors


@pytest.mark.parametrize("eps", [0, -0.5])
def test_wrong_eps(eps):
    with pytest.raises(InputError, match=f"must be positive, but is {eps}"):
        transrate(embeddings=np.eye(4), labels=np.arange(4) % 2, eps=eps)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"TransRate .* but all 5 images"):
        transrate(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_equal_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="vary, but all 6 are equal"):
        transrate(embeddings=np.full((6, 3), 0.1), labels=np.arange(6) % 2)
