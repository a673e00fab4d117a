import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import LedoitWolf

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import h_score_shrinkage


def data(n=30, d=6, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_h_score(z, labels):
    """The definition, with scikit-learn's Ledoit–Wolf and d × d matrices."""
    fit = LedoitWolf().fit(z)
    means = np.stack([z[labels == c].mean(axis=0) for c in labels])
    between = (1 - fit.shrinkage_) * np.cov(means, rowvar=False, ddof=1)
    return np.trace(np.linalg.pinv(fit.covariance_) @ np.atleast_2d(between))


# 1. closed forms


@pytest.mark.parametrize("n", [4, 10, 64])
def test_two_points_need_no_shrinkage(n):
    # All embeddings have one length, so a = 0; one direction, which is all between classes.
    labels = np.arange(n) % 2
    z = np.zeros((n, 3))
    z[:, 1] = 2.0 * labels - 1
    assert h_score_shrinkage(embeddings=z, labels=labels) == pytest.approx(n / (n - 1), rel=1e-12)


def test_one_feature_is_never_shrunk():
    # d = 1: the share of the variance that is between classes, times n / (n − 1).
    z = np.array([[0.0], [2.0], [4.0], [6.0]])
    share = 4 / 5  # means 1 and 5 around 3; the values themselves have variance 5
    value = h_score_shrinkage(embeddings=z, labels=np.array([0, 0, 1, 1]))
    assert value == pytest.approx(share * 4 / 3, rel=1e-12)


def test_equal_class_means_give_zero():
    z = np.array([[1.0, 0], [-1, 0], [0, 2], [0, -2]])
    value = h_score_shrinkage(embeddings=z, labels=np.array([0, 0, 1, 1]))
    assert value == pytest.approx(0, abs=1e-15)


# 2. independent values


# transformer_ranker computes in float32.
@pytest.mark.parametrize(("program", "rel"), [("tllib", None), ("transformer_ranker", 1e-6)])
def test_equals_the_official_code(reference_embeddings, parity, case, program, rel):
    z, labels, _ = reference_embeddings(case)
    value = h_score_shrinkage(embeddings=z, labels=labels)
    parity.embeddings(case, f"hscore_regularized/{program}", value, rel=rel)


@pytest.mark.parametrize(("n", "d"), [(30, 6), (12, 40), (20, 20), (25, 1)])
def test_equals_the_slow_definition(n, d):
    z, labels = data(n, d)
    assert h_score_shrinkage(embeddings=z, labels=labels) == pytest.approx(
        slow_h_score(z, labels), rel=1e-9
    )


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    assert h_score_shrinkage(embeddings=moved[order], labels=renamed[order]) == pytest.approx(
        h_score_shrinkage(embeddings=z, labels=labels), rel=1e-9
    )


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 100), d=st.integers(1, 30))
def test_at_most_the_directions_between_classes(seed, signal, d):
    z, labels = data(12, d, 4, seed, signal)
    assert 0 <= h_score_shrinkage(embeddings=z, labels=labels) <= 3 * 12 / 11 + 1e-12


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 5 images"):
        h_score_shrinkage(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_embeddings_are_undefined(value):
    with pytest.raises(ScoreUndefinedError, match="vary, but all 6 are equal"):
        h_score_shrinkage(embeddings=np.full((6, 3), value), labels=np.arange(6) % 2)
