import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import ncti_seli


def data(n=90, d=6, classes=3, seed=0, signal=1.0, scale=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    means = signal * rng.normal(size=(classes, d))
    return scale * (rng.normal(size=(n, d)) + means[labels]), labels


def slow_seli(z, labels):
    """The definition by scikit-learn."""
    pca = PCA(min(64, len(z) - 1, z.shape[1]), svd_solver="full")
    x = pca.fit_transform(z)
    a = float(np.exp(-pca.explained_variance_[:32].sum()))
    # The eigen solver without shrinkage does what the svd solver does, in 1.8 and 1.9 alike.
    analysis = LinearDiscriminantAnalysis(solver="eigen", shrinkage=a if a > 1e-10 else None)
    projections = analysis.fit_transform(x, labels)
    return np.linalg.norm(projections - projections.mean(axis=0), ord="nuc")


# 1. closed forms


@pytest.mark.parametrize("n", [4, 12, 40])
def test_two_classes_on_a_line(n):
    # One direction: the length of the embeddings in standard deviations within classes.
    labels = np.arange(n) % 2
    z = np.zeros((n, 3))
    z[:, 1] = 20.0 * labels + np.repeat([1, -1], [n // 2, n - n // 2])
    x = z[:, 1] - z[:, 1].mean()
    within = x - np.where(labels == 1, x[labels == 1].mean(), x[labels == 0].mean())
    expected = np.linalg.norm(x) / np.sqrt(np.mean(within**2))
    assert ncti_seli(embeddings=z, labels=labels) == pytest.approx(expected, rel=1e-12)


def test_equal_class_means_have_no_direction_between_them():
    z = 10 * np.array([[1.0, 0], [-1, 0], [0, 2], [0, -2]])
    assert ncti_seli(embeddings=z, labels=np.array([0, 0, 1, 1])) == 0


# 2. independent values


def test_equals_the_official_code(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    value = ncti_seli(embeddings=z, labels=labels)
    if case == "balanced_n_gt_d":
        # 48 features: the official code raises, because it has 64 components.
        assert parity.expectations["cases"][case]["values"]["ncti/seli"]["value"] is None
        assert value == pytest.approx(slow_seli(z, labels), rel=1e-9)
    elif case == "degenerate":
        # Rank 14: the other 50 components of the official code are rounding of float32.
        official = parity.expectations["cases"][case]["values"]["ncti/seli"]["value"]
        assert abs(value / official - 1) > 0.3
        assert value == pytest.approx(slow_seli(PCA(14).fit_transform(z), labels), rel=1e-9)
    else:
        parity.embeddings(case, "ncti/seli", value)


@pytest.mark.parametrize("scale", [0.01, 0.5, 10.0])
@pytest.mark.parametrize(("n", "d", "classes"), [(90, 6, 3), (50, 40, 2), (90, 80, 4), (60, 3, 7)])
def test_equals_scikit_learn(n, d, classes, scale):
    z, labels = data(n, d, classes, scale=scale)
    # At a small scale the shrunk covariances of scikit-learn are near the identity, and cancel.
    rel = 1e-9 if scale > 0.1 else 1e-7
    assert ncti_seli(embeddings=z, labels=labels) == pytest.approx(slow_seli(z, labels), rel=rel)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1e-8, 0.3, 20.0]), wide=st.booleans())
def test_unchanged_by_rotation_shift_order_and_class_names(seed, scale, wide):
    rng = np.random.default_rng(seed)
    n, d = (12, 20) if wide and scale < 1 else (20, 4)
    z, labels = data(n, d, 3, seed, scale=scale)
    order = rng.permutation(n)
    moved = z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + scale * rng.normal(size=d)
    renamed = np.array([50, 3, 4])[labels]
    # Inverting a covariance of few images amplifies rounding.
    assert ncti_seli(embeddings=moved[order], labels=renamed[order]) == pytest.approx(
        ncti_seli(embeddings=z, labels=labels), rel=1e-6
    )


def test_the_unit_of_the_embeddings_matters():
    z, labels = data()
    value = ncti_seli(embeddings=z, labels=labels)
    assert ncti_seli(embeddings=z / 100, labels=labels) != pytest.approx(value, rel=0.01)


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 5 images"):
        ncti_seli(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


@pytest.mark.parametrize("offset", [0.0, 0.1])
def test_classes_that_do_not_vary_are_undefined(offset):
    labels = np.arange(12) % 3
    with pytest.raises(ScoreUndefinedError, match="in all 3 classes of the 12 images they are eq"):
        ncti_seli(embeddings=10 * np.eye(3)[labels] + offset, labels=labels)
    with pytest.raises(ScoreUndefinedError, match="in all 3 classes of the 12 images they are eq"):
        ncti_seli(embeddings=np.full((12, 2), offset), labels=labels)


def test_too_few_images_for_the_components_are_undefined():
    z, labels = data(30, 40, 4, scale=10)
    with pytest.raises(ScoreUndefinedError, match=r"in all 29 .*, but the 30 images of 4 .* in 26"):
        ncti_seli(embeddings=z, labels=labels)
    assert np.isfinite(ncti_seli(embeddings=z / 100, labels=labels))  # there W is shrunk
