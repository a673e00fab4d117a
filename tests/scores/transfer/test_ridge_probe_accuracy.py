import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.spectra import centred_svd
from zoo_eval.scores import ridge_probe_accuracy
from zoo_eval.scores.transfer._ridge import PENALTIES, LeftOut


def data(n=40, d=5, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_predictions(z, labels, penalty):
    """scikit-learn's ridge regression, fitted n times."""
    one_hot = np.eye(labels.max() + 1)[labels]
    largest = np.linalg.norm(z - z.mean(axis=0), ord=2) ** 2
    ridge = Ridge(alpha=penalty * largest, solver="svd")
    return cross_val_predict(ridge, z, one_hot, cv=LeaveOneOut()), one_hot


def slow_accuracy(z, labels):
    found = [slow_predictions(z, labels, 10.0**power) for power in range(1, -7, -1)]
    errors = [np.sum((predictions - one_hot) ** 2) for predictions, one_hot in found]
    best, one_hot = found[int(np.argmin(errors))]
    shares_of_others = np.stack([np.delete(one_hot, i, axis=0).mean(axis=0) for i in range(len(z))])
    return np.mean(np.argmax(best - shares_of_others + one_hot.mean(axis=0), axis=1) == labels)


# 1. closed forms


def test_separated_classes_are_all_right():
    labels = np.arange(40) % 4
    assert ridge_probe_accuracy(embeddings=np.eye(4)[labels], labels=labels) == 1


def test_equal_embeddings_give_the_share_of_the_largest_class():
    labels = (np.arange(40) < 10).astype(np.int64)
    assert ridge_probe_accuracy(embeddings=np.full((40, 3), 0.1), labels=labels) == 0.75


def test_equal_embeddings_and_equal_classes_are_chance():
    assert ridge_probe_accuracy(embeddings=np.ones((40, 3)), labels=np.arange(40) % 4) == 0.25


def test_what_is_not_linear_is_not_found():
    # Exclusive or: no line does better than chance.
    z = np.tile([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]], (25, 1))
    labels = (z[:, 0] != z[:, 1]).astype(np.int64)
    assert ridge_probe_accuracy(embeddings=z, labels=labels) <= 0.5
    product = np.column_stack([z, z[:, 0] * z[:, 1]])
    assert ridge_probe_accuracy(embeddings=product, labels=labels) == 1


# 2. independent values


@pytest.mark.parametrize("penalty", [10.0, 1e-2, 1e-6])
@pytest.mark.parametrize(("n", "d"), [(30, 5), (12, 30), (13, 13)])
def test_left_out_errors_equal_n_fits(n, d, penalty):
    z, labels = data(n, d)
    predictions, one_hot = slow_predictions(z, labels, penalty)
    svd = centred_svd(z)
    others = LeftOut(svd, labels, one_hot.shape[1])
    found = others.errors(penalty)
    # At the smallest penalty 1 − h is about 1e-6, and loses 6 digits.
    np.testing.assert_allclose(found, one_hot - predictions, rtol=0, atol=1e-9)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_the_error_of_many_classes_is_that_of_their_predictions(penalty):
    labels = np.random.default_rng(0).permutation(np.arange(60) % 20)
    z = np.random.default_rng(1).normal(size=(20, 7))[labels]
    z = z + 0.3 * np.random.default_rng(2).normal(size=(60, 7))
    others = LeftOut(centred_svd(z), labels, 20)
    assert others.squared_error(penalty) == pytest.approx(np.sum(others.errors(penalty) ** 2))
    places = np.array([3, 50, 4])
    np.testing.assert_allclose(
        others.predictions(penalty, places), others.predictions(penalty)[places]
    )


@pytest.mark.parametrize(("n", "d"), [(40, 5), (20, 40), (20, 20), (25, 1)])
@pytest.mark.parametrize("signal", [0.3, 1.0])
def test_equals_scikit_learn(n, d, signal):
    z, labels = data(n, d, signal=signal)
    value = ridge_probe_accuracy(embeddings=z, labels=labels)
    assert value == pytest.approx(slow_accuracy(z, labels), rel=1e-12)


def test_labels_that_are_chance_give_chance():
    z = np.random.default_rng(5).normal(size=(2000, 30))
    labels = np.arange(2000) % 50
    # 2,000 images at 1/50 each: a standard deviation of 0.003. With the shares of the others in
    # place of those of all images it would be 0.0045, 5 of them lower.
    assert ridge_probe_accuracy(embeddings=z, labels=labels) == pytest.approx(0.02, abs=0.01)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    assert ridge_probe_accuracy(embeddings=moved[order], labels=renamed[order]) == pytest.approx(
        ridge_probe_accuracy(embeddings=z, labels=labels), rel=1e-12
    )


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 5 images"):
        ridge_probe_accuracy(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))
