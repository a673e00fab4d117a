import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.covariance import LedoitWolf
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import centred_svd
from zoo_eval.scores import lda_accuracy
from zoo_eval.scores.transfer import lda_accuracy as module


def data(n=40, d=5, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    spread = rng.uniform(0.2, 2, size=d)
    return spread * rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def residuals(z, labels):
    return z - np.stack([z[labels == c].mean(axis=0) for c in labels])


class Shrunk:
    """Covariance estimator for scikit-learn with the weight and ridge of all images."""

    def __init__(self, weight, ridge):
        self.weight = weight
        self.ridge = ridge

    def get_params(self, deep=True):
        return {"weight": self.weight, "ridge": self.ridge}

    def set_params(self, **params):
        vars(self).update(params)
        return self

    def fit(self, x):
        covariance = np.atleast_2d(np.cov(x, rowvar=False, bias=True))
        self.covariance_ = (1 - self.weight) * covariance + self.ridge * np.eye(x.shape[1])
        return self


def slow_accuracy(z, labels, weight):
    """scikit-learn's analysis of three classes, fitted n times, with the class sizes of all."""
    ridge = weight * np.mean(residuals(z, labels) ** 2)
    right = []
    for i in range(len(z)):
        covariance = Shrunk(weight, ridge)
        analysis = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=covariance)
        analysis.fit(np.delete(z, i, axis=0), np.delete(labels, i))
        scores = analysis.decision_function(z[i : i + 1])[0]
        scores += np.log(np.bincount(labels)) - np.log(analysis.priors_)
        right.append(np.argmax(scores) == labels[i])
    return np.mean(right)


def slow_scores(z, labels, weight):
    """Log probabilities of the classes by the definition, each image left out in turn."""
    n, d = z.shape
    ridge = weight * np.mean(residuals(z, labels) ** 2)
    sizes = np.bincount(labels)
    scores = []
    for i in range(n):
        x, y = np.delete(z, i, axis=0), np.delete(labels, i)
        r = residuals(x, y)
        precision = np.linalg.inv((1 - weight) * r.T @ r / (n - 1) + ridge * np.eye(d))
        apart = [z[i] - x[y == c].mean(axis=0) for c in np.unique(labels)]
        scores.append(
            [np.log(m) - a @ precision @ a / 2 for a, m in zip(apart, sizes, strict=True)]
        )
    return np.array(scores)


# 1. closed forms


def test_separated_classes_are_all_right():
    z, labels = data(signal=100)
    assert lda_accuracy(embeddings=z, labels=labels) == 1


def test_what_varies_within_classes_does_not_count():
    # The second feature tells the classes apart, the first is far larger and says nothing.
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    z = np.column_stack([100 * rng.normal(size=40), labels + 0.01 * rng.normal(size=40)])
    assert lda_accuracy(embeddings=z, labels=labels, shrinkage=1e-6) == 1
    assert lda_accuracy(embeddings=z, labels=labels, shrinkage=1) < 0.75


def test_a_direction_without_variance_within_classes_decides():
    # Distances from the class means are all equal: the Ledoit–Wolf weight is 0.
    labels = np.repeat([0, 1], 4)
    z = np.column_stack([np.tile([1.0, -1.0], 4), 1e-3 * labels])
    assert lda_accuracy(embeddings=z, labels=labels) == 1


def test_an_image_alone_in_its_class_is_wrong():
    z = np.array([[0.0], [0.1], [0.2], [5.0], [9.0]])
    assert lda_accuracy(embeddings=z, labels=np.array([0, 0, 0, 1, 2])) == 0.6


def test_ties_count_by_halves():
    # Without the first image the means of both classes, of three images each, are 2 from it.
    z = np.array([[0.0], [-1.0], [-3.0], [1.0], [1.5], [3.5]])
    assert lda_accuracy(embeddings=z, labels=np.array([0, 0, 0, 1, 1, 1]), shrinkage=1) == 11 / 12


# 2. independent values


@pytest.mark.parametrize("weight", [1e-6, 0.1, 0.9, 1])
@pytest.mark.parametrize(("n", "d"), [(40, 5), (14, 30), (20, 20), (25, 1)])
def test_scores_equal_the_slow_definition(n, d, weight):
    z, labels = data(n, d)
    svd = centred_svd(z)
    x = svd.left * svd.singular_values
    means = np.stack([x[labels == c].mean(axis=0) for c in range(3)])
    r = x - means[labels]
    ridge = weight * np.sum(r**2) / n / d
    found = module._left_out_scores(
        x, means, labels, np.bincount(labels), r.T @ r / n, float(weight), ridge
    )
    # With d > n only the ridge, 1e-6 of the variance, holds the covariance.
    rtol = 1e-9 if d < n or weight > 1e-6 else 1e-6
    np.testing.assert_allclose(found, slow_scores(z, labels, weight), rtol=rtol)


@pytest.mark.parametrize("weight", [0.01, 0.5])
@pytest.mark.parametrize(("n", "d"), [(40, 5), (20, 40), (25, 1)])
def test_equals_scikit_learn(n, d, weight):
    z, labels = data(n, d, signal=0.5)
    value = lda_accuracy(embeddings=z, labels=labels, shrinkage=weight)
    assert value == pytest.approx(slow_accuracy(z, labels, weight), rel=1e-12)


@pytest.mark.parametrize(("n", "d"), [(40, 5), (20, 40)])
def test_the_default_is_the_ledoit_wolf_estimate(n, d, monkeypatch):
    z, labels = data(n, d)
    seen = []
    scores = module._left_out_scores
    monkeypatch.setattr(module, "_left_out_scores", lambda *a: seen.append(a) or scores(*a))
    value = lda_accuracy(embeddings=z, labels=labels)
    weight = LedoitWolf(assume_centered=True).fit(residuals(z, labels)).shrinkage_
    assert seen[0][5] == pytest.approx(weight, rel=1e-9)
    assert value == pytest.approx(slow_accuracy(z, labels, weight), rel=1e-12)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1), exponent=st.integers(-20, 20), wide=st.booleans())
def test_unchanged_by_rotation_shift_scale_order_and_class_names(seed, exponent, wide):
    rng = np.random.default_rng(seed)
    n, d = (9, 14) if wide else (14, 4)
    z, labels = data(n, d, 3, seed)
    order = rng.permutation(n)
    moved = (z @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)) * 2.0**exponent
    renamed = np.array([50, 3, 4])[labels]
    assert lda_accuracy(embeddings=moved[order], labels=renamed[order]) == pytest.approx(
        lda_accuracy(embeddings=z, labels=labels), rel=1e-12
    )


# 4. errors


@pytest.mark.parametrize("value", [0, -0.1, 1.5, float("nan")])
def test_shrinkage_out_of_range(value):
    z, labels = data()
    with pytest.raises(InputError, match=f"above 0 and at most 1, but is {value}"):
        lda_accuracy(embeddings=z, labels=labels, shrinkage=value)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 5 images"):
        lda_accuracy(embeddings=np.eye(5), labels=np.zeros(5, dtype=np.int64))


@pytest.mark.parametrize("offset", [0.0, 0.1])
def test_classes_that_do_not_vary_are_undefined(offset):
    labels = np.arange(12) % 3
    for z in (np.eye(3)[labels] + offset, np.full((12, 2), offset)):
        with pytest.raises(ScoreUndefinedError, match="all 3 classes of the 12 images they are eq"):
            lda_accuracy(embeddings=z, labels=labels)
