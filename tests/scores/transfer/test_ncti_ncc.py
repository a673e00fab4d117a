import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import ncti_ncc


def data(n=90, d=6, classes=3, seed=0, signal=1.0, scale=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    means = signal * rng.normal(size=(classes, d))
    return scale * (rng.normal(size=(n, d)) + means[labels]), labels


def slow_ncc(z, labels):
    """The definition by scikit-learn."""
    pca = PCA(min(64, len(z) - 1, z.shape[1]), svd_solver="full")
    x = pca.fit_transform(z)
    a = float(np.exp(-pca.explained_variance_[:32].sum()))
    # The eigen solver without shrinkage does what the svd solver does, in 1.8 and 1.9 alike.
    analysis = LinearDiscriminantAnalysis(solver="eigen", shrinkage=a if a > 1e-10 else None)
    posteriors = analysis.fit(x, labels).predict_proba(x)
    return posteriors[np.arange(len(z)), labels].mean()


# 1. closed forms


def test_two_points_of_each_of_two_classes():
    # Means ±9, variance 1 within classes: the log odds of x are 2 · 9 · x.
    z = np.array([[-10.0, 3], [-8, 3], [8, 3], [10, 3]])
    value = ncti_ncc(embeddings=z, labels=np.array([0, 0, 1, 1]))
    assert value == pytest.approx((expit(180) + expit(144)) / 2, rel=1e-12)


def test_equal_class_means_give_the_chance_of_a_guess_by_class_size():
    z = 10 * np.array([[1.0, 0], [-1, 0], [0, 2], [0, -2], [0, 1], [0, -1]])
    value = ncti_ncc(embeddings=z, labels=np.array([0, 0, 1, 1, 1, 1]))
    assert value == pytest.approx(1 / 9 + 4 / 9, rel=1e-12)


# 2. independent values


def test_equals_the_official_code(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    value = ncti_ncc(embeddings=z, labels=labels)
    if case == "balanced_n_gt_d":
        # 48 features: the official code raises, because it has 64 components.
        assert parity.expectations["cases"][case]["values"]["ncti/ncc"]["value"] is None
        assert value == pytest.approx(slow_ncc(z, labels), rel=1e-9)
    else:
        # Rank 14 in the degenerate case: the other 50 components of the official code are rounding
        # of float32, in which it still tells the classes apart a little.
        rel = 1e-5 if case == "degenerate" else None
        parity.embeddings(case, "ncti/ncc", value, rel=rel)


@pytest.mark.parametrize("scale", [0.01, 0.5, 10.0])
@pytest.mark.parametrize(("n", "d", "classes"), [(90, 6, 3), (90, 80, 4), (60, 3, 7)])
def test_equals_scikit_learn(n, d, classes, scale):
    z, labels = data(n, d, classes, scale=scale)
    assert ncti_ncc(embeddings=z, labels=labels) == pytest.approx(slow_ncc(z, labels), rel=1e-9)


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
    assert ncti_ncc(embeddings=moved[order], labels=renamed[order]) == pytest.approx(
        ncti_ncc(embeddings=z, labels=labels), rel=1e-6
    )


def test_the_unit_of_the_embeddings_matters():
    z, labels = data()
    value = ncti_ncc(embeddings=z, labels=labels)
    assert ncti_ncc(embeddings=z / 100, labels=labels) != pytest.approx(value, rel=1e-3)


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 5 images"):
        ncti_ncc(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


def test_classes_that_do_not_vary_are_undefined():
    labels = np.arange(12) % 3
    with pytest.raises(ScoreUndefinedError, match="in all 3 classes of the 12 images they are eq"):
        ncti_ncc(embeddings=10 * np.eye(3)[labels], labels=labels)
