import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh
from scipy.special import softmax

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import sfda


def data(n=30, d=6, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def exact(within):
    return eigh(within, eigvals_only=True)[-1]


def power_steps(within):
    """The official estimate of the largest eigenvalue."""
    x = y = within.sum(axis=1)
    for _ in range(3):
        y = within @ x
        y = y / np.linalg.norm(y)
        x = within @ y
        x = x / np.linalg.norm(x)
    return x @ within @ y


def slow_sfda(z, labels, largest_eigenvalue=exact):
    """As published: d × d matrices and a generalised eigenproblem, twice."""
    n, d = z.shape
    classes = np.unique(labels)

    def fit(x, shrinkage=None):
        means = np.stack([x[labels == c].mean(axis=0) for c in classes])
        shares = np.array([np.mean(labels == c) for c in classes])
        covariances = [np.cov(x[labels == c], rowvar=False, bias=True) for c in classes]
        within = np.atleast_2d(np.tensordot(shares, np.stack(covariances), axes=1))
        if shrinkage is None:
            shrinkage = max(np.exp(-5 * largest_eigenvalue(within)), 1e-10)
        within = (1 - shrinkage) * within + shrinkage * np.trace(within) / d * np.eye(d)
        between = np.atleast_2d(np.cov(x, rowvar=False, bias=True)) - within
        vectors = eigh(between, within)[1]
        weights = means @ vectors @ vectors.T
        logits = x @ weights.T - np.sum(means * weights, axis=1) / 2 + np.log(shares)
        return softmax(logits, axis=1), means, shrinkage

    probabilities, means, shrinkage = fit(z)
    mixed = np.empty_like(z)
    for i in range(n):
        own = int(np.searchsorted(classes, labels[i]))
        q = np.exp(probabilities[i, own]) / np.exp(probabilities[i]).sum()
        mixed[i] = q * z[i] + (1 - q) * np.delete(means, own, axis=0).mean(axis=0)
    probabilities, _, _ = fit(mixed, shrinkage)
    return np.mean(probabilities[np.arange(n), np.searchsorted(classes, labels)])


# 1. closed forms


def test_equal_classes_get_their_shares():
    # Equal means: every image is given π in the first fit; what is moved is moved to that mean by
    # the same factor, so the means stay equal.
    z = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    value = sfda(embeddings=np.vstack([z, z, z]), labels=np.repeat([0, 1, 1], 4))
    assert value == pytest.approx((1 / 3) ** 2 + (2 / 3) ** 2, rel=1e-12)


def test_two_classes_at_plus_and_minus_m():
    # One feature, classes at ±m of spread 1, no shrinkage left after scaling by 10. First fit:
    # p = 1 / (1 + exp(−2 m x)); each image is moved to q x ∓ (1 − q) m, and so on.
    m, offsets = 0.5, np.array([1.0, -1.0])
    x = m + offsets
    p = 1 / (1 + np.exp(-2 * m * x))
    q = np.exp(p) / (np.exp(p) + np.exp(1 - p))
    x = q * x - (1 - q) * m
    mean, spread = x.mean(), x.var()
    value = np.mean(1 / (1 + np.exp(-2 * mean * x / spread)))
    z = 10 * np.concatenate([m + offsets, -m - offsets])[:, None]
    assert sfda(embeddings=z, labels=np.array([0, 0, 1, 1])) == pytest.approx(value, rel=1e-8)


def test_saturates_with_as_many_features_as_images():
    # Noise of 4 classes gets 1 all the same, unless it is reduced.
    z, labels = data(60, 60, 4, signal=0)
    assert sfda(embeddings=z, labels=labels) == pytest.approx(1, abs=1e-6)
    assert sfda(embeddings=z, labels=labels, n_components=4) < 0.6


# 2. independent values


def test_equals_the_official_code(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    before = z.copy()
    parity.embeddings(case, "sfda/official", sfda(embeddings=z, labels=labels))
    np.testing.assert_array_equal(z, before)  # the official code overwrites them


@pytest.mark.parametrize(("n", "d"), [(30, 6), (25, 1), (40, 12)])
@pytest.mark.parametrize("scale", [0.05, 0.5, 1, 20])  # shrinkage from almost 1 to 1e-10
def test_equals_the_generalised_eigenproblem(n, d, scale):
    z, labels = data(n, d, signal=0.7)
    z = z * scale
    assert sfda(embeddings=z, labels=labels) == pytest.approx(slow_sfda(z, labels), rel=1e-9)


@pytest.mark.parametrize("scale", [0.05, 0.5])  # the eigenproblem has no solution without shrinkage
def test_fewer_images_than_features_equal_the_eigenproblem(scale):
    z, labels = data(14, 20, signal=0.5)
    z = z * scale
    assert sfda(embeddings=z, labels=labels) == pytest.approx(slow_sfda(z, labels), rel=1e-9)


def test_official_power_steps_depend_on_the_axes():
    rng = np.random.default_rng(1)
    z, labels = data(60, 4, signal=0.5)
    z = z * np.array([0.7, 0.6, 0.5, 0.4])
    turned = z @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    official = [slow_sfda(x, labels, power_steps) for x in (z, turned)]
    assert abs(official[0] - official[1]) > 1e-5
    ours = [sfda(embeddings=x, labels=labels) for x in (z, turned)]
    assert ours[0] == pytest.approx(ours[1], rel=1e-12)
    # Two features that cancel: the rows of the covariance sum to 0.
    within = np.array([[1.0, -1.0], [-1.0, 1.0]])
    with np.errstate(invalid="ignore"):
        assert np.isnan(power_steps(within))


@pytest.mark.parametrize("n_components", [1, 3, 6, 50])
def test_components_are_those_of_a_principal_component_analysis(n_components):
    z, labels = data(40, 6, signal=0.7)
    x = z - z.mean(axis=0)
    reduced = x @ np.linalg.svd(x)[2].T[:, :n_components]
    value = sfda(embeddings=z, labels=labels, n_components=n_components)
    assert value == pytest.approx(slow_sfda(reduced, labels), rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), wide=st.booleans())
def test_unchanged_by_rotation_shift_order_and_class_names(seed, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)
    renamed = np.array([50, 3, 4])[labels]
    assert sfda(embeddings=moved[order], labels=renamed[order]) == pytest.approx(
        sfda(embeddings=z, labels=labels), rel=1e-6
    )


def test_scale_matters():
    z, labels = data(60, 4, signal=0.5)
    assert abs(sfda(embeddings=z * 0.3, labels=labels) - sfda(embeddings=z, labels=labels)) > 1e-3


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 100), d=st.integers(1, 30))
def test_between_zero_and_one(seed, signal, d):
    z, labels = data(12, d, 4, seed, signal)
    assert 0 <= sfda(embeddings=z, labels=labels) <= 1


# 4. errors


def test_wrong_n_components():
    with pytest.raises(InputError, match=r"n_components must be ≥ 0 .* but is -2"):
        sfda(embeddings=np.eye(4), labels=np.arange(4) % 2, n_components=-2)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"SFDA .* but all 5 images"):
        sfda(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_classes_without_spread_are_undefined(offset):
    labels = np.arange(6) % 2
    with pytest.raises(ScoreUndefinedError, match=r"each of the 2 classes .*\(6 images\)"):
        sfda(embeddings=np.eye(2)[labels] / 3 + offset, labels=labels)


def test_equal_embeddings_are_undefined():
    with pytest.raises(ScoreUndefinedError, match="vary, but all 6 are equal"):
        sfda(embeddings=np.full((6, 3), 0.1), labels=np.arange(6) % 2)
