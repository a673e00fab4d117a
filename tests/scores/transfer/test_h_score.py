import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import h_score


def data(n=30, d=6, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def covariances(z, labels):
    means = np.stack([z[labels == c].mean(axis=0) for c in labels])
    return np.atleast_2d(np.cov(z, rowvar=False)), np.atleast_2d(np.cov(means, rowvar=False))


# 1. closed forms


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_one_hot_embeddings_give_one_less_than_the_classes(classes):
    labels = np.arange(4 * classes) % classes
    value = h_score(embeddings=np.eye(classes)[labels], labels=labels)
    assert value == pytest.approx(classes - 1, rel=1e-12)


def test_one_feature_is_the_share_of_the_variance_between_classes():
    z = np.array([[0.0], [2.0], [4.0], [6.0]])  # means 1 and 5; variances 4 of 5
    assert h_score(embeddings=z, labels=np.array([0, 0, 1, 1])) == pytest.approx(0.8, rel=1e-12)


@pytest.mark.parametrize("seed", [0, 1])
def test_as_many_features_as_images_say_nothing(seed):
    # Classes of noise get C − 1 all the same.
    z, labels = data(20, 20, 4, seed, signal=0)
    assert h_score(embeddings=z, labels=labels) == pytest.approx(3, rel=1e-9)


# 2. independent values


def test_equals_the_official_code(reference_embeddings, parity, case):
    z, labels, _ = reference_embeddings(case)
    value = h_score(embeddings=z, labels=labels)
    for program in ("tllib", "rank_cut_float32", "parc_published"):
        parity.embeddings(case, f"hscore/{program}", value)
    # It adds 1e-8 to the sizes of classes, of which one has 3 images.
    parity.embeddings(case, "hscore/parc_fast", value, rel=1e-8)


def test_a_rank_cut_at_rounding_of_float64(reference_embeddings, parity, case):
    # In the degenerate case the rounding of the stored float32 embeddings then counts in full.
    z, labels, _ = reference_embeddings(case)
    value = h_score(embeddings=z, labels=labels, rcond=0)
    parity.embeddings(case, "hscore/rank_cut_float64", value)


def test_google_takes_the_trace_of_the_wrong_product(reference_embeddings, expected, case):
    z, labels, _ = reference_embeddings(case)
    total, between = covariances(z, labels)
    inverse = np.linalg.pinv(total, rcond=1e-5)
    google = np.trace(inverse * between)
    assert google == pytest.approx(expected(case, "hscore/google"), rel=1e-4)  # float32
    assert google > 2 * h_score(embeddings=z, labels=labels)
    if case != "n_lt_d":  # its rcond, 1e-5, is above variances there
        assert h_score(embeddings=z, labels=labels) == pytest.approx(
            np.trace(inverse @ between), rel=1e-4
        )


@pytest.mark.parametrize(("n", "d"), [(30, 6), (12, 40), (25, 1)])
def test_equals_the_slow_definition(n, d):
    z, labels = data(n, d)
    total, between = covariances(z, labels)
    value = np.trace(np.linalg.pinv(total, rcond=1e-12) @ between)
    assert h_score(embeddings=z, labels=labels) == pytest.approx(value, rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20))
def test_unchanged_by_linear_maps_shift_order_and_class_names(seed, exponent):
    rng = np.random.default_rng(seed)
    z, labels = data(14, 4, 3, seed)
    order = rng.permutation(14)
    map_ = np.linalg.qr(rng.normal(size=(4, 4)))[0] * rng.uniform(0.5, 2, size=4)
    moved = (z @ map_ + rng.normal(size=4)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    assert h_score(embeddings=moved[order], labels=renamed[order]) == pytest.approx(
        h_score(embeddings=z, labels=labels), rel=1e-9
    )


@given(seed=st.integers(0, 2**32 - 1), signal=st.floats(0, 100), d=st.integers(1, 30))
def test_at_most_the_classes_less_one_and_the_rank(seed, signal, d):
    z, labels = data(12, d, 4, seed, signal)
    assert 0 <= h_score(embeddings=z, labels=labels) <= min(3, d) + 1e-9


def test_a_copied_feature_changes_nothing():
    z, labels = data()
    assert h_score(embeddings=z[:, [0, 1, 2, 3, 4, 5, 0, 0]], labels=labels) == pytest.approx(
        h_score(embeddings=z, labels=labels), rel=1e-9
    )


# 4. errors


@pytest.mark.parametrize("rcond", [-1e-3, 1])
def test_wrong_rcond(rcond):
    with pytest.raises(InputError, match=rf"must be in \[0, 1\): {rcond}"):
        h_score(embeddings=np.eye(4), labels=np.arange(4) % 2, rcond=rcond)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 5 images"):
        h_score(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_embeddings_are_undefined(value):
    with pytest.raises(ScoreUndefinedError, match="vary, but all 6 are equal"):
        h_score(embeddings=np.full((6, 3), value), labels=np.arange(6) % 2)
