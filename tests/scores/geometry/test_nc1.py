import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import nc1


def data(n=24, d=5, classes=4, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def scatters(z, labels):
    """Σ_W and Σ_B, d × d, image by image and class by class."""
    classes = np.unique(labels)
    means = {c: z[labels == c].mean(axis=0) for c in classes}
    middle = np.mean(list(means.values()), axis=0)
    within = np.mean(
        [np.outer(x - means[c], x - means[c]) for x, c in zip(z, labels, strict=True)], axis=0
    )
    between = np.mean([np.outer(m - middle, m - middle) for m in means.values()], axis=0)
    return within, between


def slow_nc1(z, labels):
    within, between = scatters(z, labels)
    return np.trace(within @ np.linalg.pinv(between, rcond=1e-10)) / len(np.unique(labels))


# 1. closed forms


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_one_feature(offset):
    # Means ±3, so Σ_B = 9; Σ_W = 1; C = 2.
    z = np.array([[2.0], [4.0], [-2.0], [-4.0]]) + offset
    labels = np.array([0, 0, 1, 1])
    assert nc1(embeddings=z, labels=labels) == pytest.approx(1 / 9 / 2, rel=1e-12)
    value = nc1(embeddings=z, labels=labels, form="quotient")
    assert value == pytest.approx(1 / 9, rel=1e-12)


def test_variability_at_right_angles_to_the_means_does_not_count():
    z = np.array([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]])
    labels = np.array([0, 0, 1, 1])
    assert nc1(embeddings=z, labels=labels) == pytest.approx(0, abs=1e-15)
    value = nc1(embeddings=z, labels=labels, form="quotient")
    assert value == pytest.approx(1 / 9, rel=1e-12)


@pytest.mark.parametrize("form", ["pinv", "quotient"])
def test_collapsed_classes_give_zero(form):
    labels = np.repeat(np.arange(3), 4)
    assert nc1(embeddings=np.eye(3)[labels], labels=labels, form=form) == pytest.approx(
        0, abs=1e-15
    )


# 2. independent values


@pytest.mark.parametrize(
    ("form", "reference"), [("pinv", "pinv"), ("pinv", "svd"), ("quotient", "quotient")]
)
def test_equals_neural_collapse(reference_embeddings, parity, case, form, reference):
    z, labels, _ = reference_embeddings(case)
    parity.embeddings(case, f"nc1/{reference}", nc1(embeddings=z, labels=labels, form=form))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "d"), [(24, 5), (24, 24), (12, 30), (24, 2), (24, 1)])
def test_equals_the_slow_definition(dtype, n, d):
    z, labels = data(n, d)
    z = z.astype(dtype)
    within, between = scatters(z.astype(np.float64), labels)
    slow = slow_nc1(z.astype(np.float64), labels)
    assert nc1(embeddings=z, labels=labels) == pytest.approx(slow, rel=1e-9)
    quotient = np.trace(within) / np.trace(between)
    value = nc1(embeddings=z, labels=labels, form="quotient")
    assert value == pytest.approx(quotient, rel=1e-9)


def test_equal_means_of_some_classes_drop_out():
    # Classes 0 and 1 have one mean, so there are 2 directions between 4 classes, not 3.
    z, labels = data(d=6)
    z[labels == 1] = z[labels == 0]
    assert nc1(embeddings=z, labels=labels) == pytest.approx(slow_nc1(z, labels), rel=1e-9)


# 3. symmetries


@given(
    seed=st.integers(0, 2**32 - 1),
    exponent=st.integers(-20, 20),
    wide=st.booleans(),
    form=st.sampled_from(["pinv", "quotient"]),
)
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, wide, form):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    value = nc1(embeddings=z, labels=labels, form=form)
    moved_value = nc1(embeddings=moved[order], labels=renamed[order], form=form)
    assert moved_value == pytest.approx(value, rel=1e-8)
    assert value >= 0


@given(seed=st.integers(0, 2**32 - 1))
def test_unchanged_by_linear_maps_if_classes_span_the_features(seed):
    z, labels = data(24, 3, 4, seed, signal=3.0)
    mapped = z @ (np.eye(3) + 0.3 * np.random.default_rng(seed).uniform(-1, 1, size=(3, 3)))
    value = nc1(embeddings=z, labels=labels)
    assert nc1(embeddings=mapped, labels=labels) == pytest.approx(value, rel=1e-8)


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"NC1 .* but all 5 images"):
        nc1(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_classes_of_one_image_are_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"NC1 .* each of the 5 images is the only"):
        nc1(embeddings=np.eye(5), labels=np.arange(5))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 / 3])
@pytest.mark.parametrize("form", ["pinv", "quotient"])
def test_equal_embeddings_are_undefined(value, form):
    with pytest.raises(ScoreUndefinedError, match="class means that differ, but all 3 are equal"):
        nc1(embeddings=np.full((60, 30), value), labels=np.arange(60) % 3, form=form)


def test_unknown_form():
    with pytest.raises(InputError, match="'pinv' or 'quotient', but is 'svd'"):
        nc1(embeddings=np.eye(4), labels=np.array([0, 0, 1, 1]), form="svd")
