import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import akde_mi
from zoo_eval.scores.information.akde_mi import (
    class_information,
    gaussian_kernel,
    image_information,
)

BITS = 1 / np.log(2)


def data(n=30, d=5, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_information(points, labels, variance):
    """The formula, one image after the other."""
    total = 0.0
    for t, y in zip(points, labels, strict=True):
        kernel = np.exp(-np.sum((points - t) ** 2, axis=1) / (2 * variance))
        total += np.log2(kernel[labels == y].mean() / kernel.mean())
    return total / len(points)


# 1. closed forms


def test_distant_images_tell_which_image_it_is():
    assert image_information(gaussian_kernel(1e3 * np.eye(8), 1.0)) == pytest.approx(3, rel=1e-12)


def test_equal_images_tell_nothing():
    kernel = gaussian_kernel(np.full((8, 2), 0.1), 1.0)
    assert image_information(kernel) == pytest.approx(0, abs=1e-12)
    assert class_information(kernel, np.arange(8) % 2) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 5])
def test_classes_in_distant_points(classes):
    labels = np.arange(20) % classes
    z = 100.0 * np.eye(classes)[labels]
    value = akde_mi(embeddings=z, labels=labels, n_components=classes, permutations=0)
    assert value == pytest.approx(np.log2(classes), rel=1e-9)


def test_two_images_in_one_dimension():
    # Two images at ±1 of two classes: log₂ of 1 over the mean of 1 and exp(−2² / 2v).
    z, labels = np.array([[-1.0], [1.0]]), np.array([0, 1])
    value = akde_mi(embeddings=z, labels=labels, noise=0.5, permutations=0)
    assert value == pytest.approx(1 - np.log2(1 + np.exp(-4)), rel=1e-12)
    # The adaptive noise is a tenth of the largest activity, 1.
    value = akde_mi(embeddings=z, labels=labels, permutations=0)
    assert value == pytest.approx(1 - np.log2(1 + np.exp(-200)), rel=1e-12)


def test_random_labels_give_the_null():
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(150, 3)), rng.integers(0, 4, 150)
    raw = akde_mi(embeddings=z, labels=labels, permutations=0)
    assert raw > 0.5
    assert akde_mi(embeddings=z, labels=labels) == pytest.approx(0, abs=0.05)


# 2. independent values


@pytest.mark.parametrize("variance", [1.0, 10.0])
@pytest.mark.parametrize(("bound", "factor"), [("kl", 1), ("bd", 4)])
def test_equals_ibsgds_numbers(reference_embeddings, parity, case, bound, factor, variance):
    z, labels, _ = reference_embeddings(case)
    d = z.shape[1]
    kernel = gaussian_kernel(z, factor * variance)
    of_images = image_information(kernel)
    of_noise = d / 2 * (np.log(2 * np.pi * variance) + 1) * BITS
    name = f"kde_mi/{bound}_var{variance}"
    for suffix, bits in [
        ("ITX", of_images),
        ("H", of_images + of_noise),
        ("ITY", class_information(kernel, labels)),
    ]:
        parity.embeddings(case, f"{name}/{suffix}", bits, scale=BITS)


def test_all_components_with_a_fixed_noise_are_ibsgds_number(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    value = akde_mi(embeddings=z, labels=labels, n_components=1000, noise=10.0, permutations=0)
    parity.embeddings(case, "kde_mi/kl_var10.0/ITY", value, scale=BITS)


@pytest.mark.parametrize(("n", "d"), [(20, 4), (12, 30), (15, 15)])
def test_equals_the_slow_definition(n, d):
    z, labels = data(n, d)
    centred = z - z.mean(axis=0)
    scores = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    slow = slow_information(scores, labels, (0.1 * np.abs(scores).max()) ** 2)
    value = akde_mi(embeddings=z, labels=labels, n_components=2, permutations=0)
    assert value == pytest.approx(slow, rel=1e-9)


def test_mean_over_features():
    z, labels = data(20, 3)
    z[:, 1] = 0.1  # tells nothing, and counts
    slow = [slow_information(z[:, [j]], labels, 0.3) for j in range(3)]
    value = akde_mi(embeddings=z, labels=labels, on="dimensions", noise=0.3, permutations=0)
    assert value == pytest.approx(np.mean(slow), rel=1e-9)


def test_on_dimensions_the_noise_adapts_to_each_feature():
    z, labels = data(20, 3)
    value = akde_mi(embeddings=z, labels=labels, on="dimensions")
    scaled = akde_mi(embeddings=z * [1, 100, 0.01] + 5, labels=labels, on="dimensions")
    assert scaled != value  # another order by distance from the mean, another null
    raw = akde_mi(embeddings=z, labels=labels, on="dimensions", permutations=0)
    moved = z * [1, 100, 0.01] + 5
    again = akde_mi(embeddings=moved, labels=labels, on="dimensions", permutations=0)
    assert again == pytest.approx(raw, rel=1e-9)


def test_the_null_is_a_mean_over_permutations():
    # Two images of each of two classes: two thirds of the orders put distant images together.
    z, labels = np.array([[0.0], [0.1], [9.0], [9.3]]), np.array([0, 0, 1, 1])
    raw = akde_mi(embeddings=z, labels=labels, permutations=0)
    apart = akde_mi(embeddings=z, labels=labels[[0, 2, 1, 3]], permutations=0)
    few = [akde_mi(embeddings=z, labels=labels, permutations=1, seed=s) for s in range(10)]
    assert min(few) == pytest.approx(0, abs=1e-12)
    assert max(few) == pytest.approx(raw - apart, rel=0.1)
    many = akde_mi(embeddings=z, labels=labels, permutations=300)
    assert many == pytest.approx(2 / 3 * (raw - apart), rel=0.2)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    value = akde_mi(embeddings=z, labels=labels, permutations=2)
    again = akde_mi(embeddings=moved[order], labels=renamed[order], permutations=2)
    assert again == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 100))
def test_between_nothing_and_the_entropy_of_the_classes(seed, signal):
    z, labels = data(16, 2, 4, seed, signal)
    assert -1e-12 <= akde_mi(embeddings=z, labels=labels, permutations=0) <= 2 + 1e-12


# 4. errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on": "rows"}, "'components' or 'dimensions', but is 'rows'"),
        ({"n_components": 0}, "n_components must be ≥ 1, but is 0"),
        ({"noise": 0}, "variance above 0, but is 0"),
        ({"noise": "scott"}, "variance above 0, but is 'scott'"),
        ({"permutations": -1}, "permutations must be ≥ 1, or 0 to take off no null, but is -1"),
    ],
)
def test_wrong_options(options, message):
    z, labels = data()
    with pytest.raises(InputError, match=message):
        akde_mi(embeddings=z, labels=labels, **options)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="but all 5 images"):
        akde_mi(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


@pytest.mark.parametrize("on", ["dimensions", "components"])
def test_equal_embeddings_are_undefined(on):
    with pytest.raises(ScoreUndefinedError, match="vary, but all 6 are equal"):
        akde_mi(embeddings=np.full((6, 3), 0.1), labels=np.arange(6) % 2, on=on)
