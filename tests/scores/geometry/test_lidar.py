import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh
from scipy.stats import entropy

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import lidar


def data(n=24, d=5, classes=4, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def scatters(z, labels, delta):
    """Σ_B and Σ_W, d × d, class by class."""
    classes = np.unique(labels)
    means = np.stack([z[labels == c].mean(axis=0) for c in classes])
    between = np.cov(means, rowvar=False)
    within = sum(
        (z[labels == c] - m).T @ (z[labels == c] - m) for c, m in zip(classes, means, strict=True)
    )
    within = within / (len(z) - len(classes)) + delta * np.eye(z.shape[1])
    return np.atleast_2d(between), within


def slow_lidar(z, labels, delta=1e-4):
    """Generalised eigenvalues of d × d matrices."""
    values = eigh(*scatters(z, labels, delta), eigvals_only=True)
    return np.exp(entropy(np.maximum(values, 0)))


# 1. closed forms


@pytest.mark.parametrize("n_classes", [2, 3, 6])
def test_classes_at_the_corners_of_a_simplex_use_all_directions(n_classes):
    labels = np.repeat(np.arange(n_classes), 2)
    z = 5 * np.eye(n_classes)[labels]
    z = np.hstack([z, np.tile([[1.0], [-1.0]], (n_classes, 1))])  # spread that all classes share
    assert lidar(embeddings=z, labels=labels) == pytest.approx(n_classes - 1, rel=1e-12)


def test_variance_within_classes_discounts_a_direction():
    # Means at ±4, 0 and 0, ±3; variances within (with δ) 4 and 1 along the axes: λ as 4 : 9.
    delta = 1e-4
    corners = np.array([[4.0, 0], [-4, 0], [0, 3], [0, -3]])
    # Two images a class and 4 degrees of freedom of 8: offsets of a give a variance of 2 a².
    spread = np.sqrt((np.array([4.0, 1.0]) - delta) / 2)
    z = np.repeat(corners, 2, axis=0) + np.tile([[1.0], [-1.0]], (4, 2)) * spread
    # Both axes move together within a pair; turning every other pair makes them uncorrelated.
    z[4:6, 1], z[2:4, 1] = z[4:6, 1][::-1].copy(), z[2:4, 1][::-1].copy()
    labels = np.repeat(np.arange(4), 2)
    p = np.array([16 / 4, 9 / 1]) / 13
    assert lidar(embeddings=z, labels=labels) == pytest.approx(np.exp(entropy(p)), rel=1e-9)


# 2. independent values

BALANCED = ["balanced_n_gt_d", "n_lt_d", "weak_powerlaw"]


@pytest.mark.parametrize("case", BALANCED)
def test_equals_stable_pretraining(reference_embeddings, parity, case):
    # Its tolerance is 1.1e-5; it adds 1e-8 to each eigenvalue.
    z, labels, _ = reference_embeddings(case)
    value = lidar(embeddings=z, labels=labels)
    parity.embeddings(case, "lidar/stable_pretraining", value)


@pytest.mark.parametrize("case", ["balanced_n_gt_d", "weak_powerlaw"])
def test_reptrix_takes_the_matrix_for_data(reference_embeddings, expected, case):
    z, labels, _ = reference_embeddings(case)
    between, within = scatters(z, labels, 1e-6)
    values, vectors = np.linalg.eigh(within)
    root = vectors / np.sqrt(values) @ vectors.T
    matrix = root @ between @ root
    spectrum = np.linalg.svd(matrix - matrix.mean(axis=0), compute_uv=False) ** 2
    p = spectrum / spectrum.sum() + 1e-7
    theirs = np.exp(-np.sum(p * np.log(p)))
    assert theirs == pytest.approx(expected(case, "lidar/reptrix"), rel=1e-4)
    assert theirs < 0.9 * lidar(embeddings=z, labels=labels)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(24, 5), (24, 24), (12, 30), (24, 1)])
def test_equals_the_slow_definition(dtype, shape):
    z, labels = data(*shape)
    z = z.astype(dtype)
    slow = slow_lidar(z.astype(np.float64), labels)
    # Where d > n − C the null space of Σ_W has eigenvalue δ: 1e4 times fewer digits.
    rel = 1e-9 if shape[1] < 20 else 1e-7
    assert lidar(embeddings=z, labels=labels) == pytest.approx(slow, rel=rel)


def test_classes_of_any_size_count_alike():
    z, labels = data(30, 4)
    labels[:20] = 0
    labels[20] = 9  # alone in its class
    slow = slow_lidar(z, labels, 0.5)
    assert lidar(embeddings=z, labels=labels, delta=0.5) == pytest.approx(slow, rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), wide=st.booleans())
def test_unchanged_by_rotation_shift_order_and_class_names(seed, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)
    renamed = np.array([50, 3, 4])[labels]
    value = lidar(embeddings=z, labels=labels)
    # 1e-7: where d > n, Σ_W has the eigenvalue δ = 1e-4.
    moved_value = lidar(embeddings=moved[order], labels=renamed[order])
    assert moved_value == pytest.approx(value, rel=1e-7)
    assert 1 <= value <= 2 + 1e-12


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-10, 10))
def test_scale_counts_only_against_delta(seed, exponent):
    z, labels = data(seed=seed)
    value = lidar(embeddings=z, labels=labels)
    scaled = lidar(embeddings=2.0**exponent * z, labels=labels, delta=4.0**exponent * 1e-4)
    assert scaled == pytest.approx(value, rel=1e-9)


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"LiDAR .* but all 5 images"):
        lidar(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_classes_of_one_image_are_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"LiDAR .* each of the 5 images is the only"):
        lidar(embeddings=np.eye(5), labels=np.arange(5))


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_embeddings_are_undefined(value):
    with pytest.raises(ScoreUndefinedError, match="class means that differ, but all 2 are equal"):
        lidar(embeddings=np.full((6, 3), value), labels=np.arange(6) % 2)


def test_equal_class_means_are_undefined():
    z = np.array([[0.1, 0.7], [0.3, 0.2], [0.1, 0.7], [0.3, 0.2]])
    with pytest.raises(ScoreUndefinedError, match="but all 2 are equal"):
        lidar(embeddings=z, labels=np.array([0, 0, 1, 1]))


@pytest.mark.parametrize("delta", [0, -1.0, float("inf"), float("nan")])
def test_delta_must_be_positive(delta):
    with pytest.raises(InputError, match=f"must be above 0, but is {delta}"):
        lidar(embeddings=np.eye(6), labels=np.arange(6) % 2, delta=delta)
