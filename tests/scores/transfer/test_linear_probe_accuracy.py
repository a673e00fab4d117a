import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import linear_probe_accuracy
from zoo_eval.scores.transfer import linear_probe_accuracy as module
from zoo_eval.scores.transfer.linear_probe_accuracy import _Probe

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


def data(n=90, d=6, classes=3, seed=0, signal=1.0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + signal * rng.normal(size=(classes, d))[labels], labels


def slow_probe_accuracy(z, labels, folds, seed):
    """The same protocol with a new pipeline for every fit."""
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(z, labels)
    tests = [test for _, test in splits]
    correct = 0
    for fold, test in enumerate(tests):
        choice = tests[(fold + 1) % folds]
        train = np.setdiff1d(np.arange(len(z)), test)
        rest = np.setdiff1d(train, choice)
        right = [n_correct(z, labels, rest, choice, c) for c in STRENGTHS]
        first_harm = next((i for i in range(1, 5) if right[i] < max(right[:i])), 5)
        best = STRENGTHS[int(np.argmax(right[:first_harm]))]
        correct += n_correct(z, labels, train, test, best)
    return correct / len(z)


def n_correct(z, labels, train, test, strength):
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
    return int(np.sum(probe.fit(z[train], labels[train]).predict(z[test]) == labels[test]))


# 1. closed forms


def test_separated_classes_are_all_right():
    labels = np.arange(40) % 4
    assert linear_probe_accuracy(10 * np.eye(4)[labels], labels) == 1


def test_equal_embeddings_give_the_share_of_the_largest_class():
    labels = (np.arange(40) < 10).astype(np.int64)
    assert linear_probe_accuracy(np.full((40, 3), 2.5), labels) == 0.75


def test_what_is_not_linear_is_not_found():
    # Exclusive or: no line does better than chance.
    z = np.tile([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]], (25, 1))
    labels = (z[:, 0] != z[:, 1]).astype(np.int64)
    assert linear_probe_accuracy(z, labels) <= 0.75
    assert linear_probe_accuracy(np.column_stack([z, z[:, 0] * z[:, 1]]), labels) == 1


# 2. independent value


@pytest.mark.parametrize("folds", [3, 5])
@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("signal", [0.3, 0.8])
def test_equals_scikit_learn_fit_by_fit(folds, seed, signal):
    z, labels = data(signal=signal)
    # A warm start ends within the tolerance of the fit, which may tip an image on the border.
    assert linear_probe_accuracy(z, labels, folds=folds, seed=seed) == pytest.approx(
        slow_probe_accuracy(z, labels, folds, seed), abs=1 / len(z) + 1e-12
    )


def test_labels_that_are_chance_give_chance():
    z, _ = data(300, 20, seed=5)
    labels = np.random.default_rng(6).permutation(np.arange(300) % 3)
    # 300 images at 1/3 each: a standard deviation of 0.027.
    assert linear_probe_accuracy(z, labels) == pytest.approx(1 / 3, abs=0.11)


# 3. symmetries


@settings(max_examples=10, deadline=None)  # each example trains 18 classifiers twice
@given(seed=st.integers(0, 2**32 - 1))
def test_unchanged_by_scaling_and_shifting_features(seed):
    rng = np.random.default_rng(seed)
    z, labels = data(36, 4, 3, seed)
    moved = z * rng.uniform(0.5, 2, size=4) + rng.normal(size=4)
    # Rounding may tip an image on the border.
    assert linear_probe_accuracy(moved, labels, folds=3) == pytest.approx(
        linear_probe_accuracy(z, labels, folds=3), abs=1 / 36 + 1e-12
    )


def test_unchanged_by_class_names():
    z, labels = data(signal=0.5)
    renamed = np.array([3, 40, 500])[labels]
    assert linear_probe_accuracy(z, renamed) == linear_probe_accuracy(z, labels)


# 4. errors


@pytest.mark.parametrize("folds", [2, 0])
def test_too_few_folds(folds):
    z, labels = data()
    with pytest.raises(InputError, match=f"≥ 3.* but is {folds}"):
        linear_probe_accuracy(z, labels, folds=folds)


def test_small_classes_are_undefined():
    z, _ = data(30)
    labels = np.repeat([0, 1, 2], [23, 4, 3])
    with pytest.raises(ScoreUndefinedError, match="2 of 3 classes have fewer, the smallest 3"):
        linear_probe_accuracy(z, labels)


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match="more classes, but all 9 images"):
        linear_probe_accuracy(np.eye(9), np.zeros(9, dtype=np.int64))


def test_no_convergence_is_undefined(monkeypatch):
    z, labels = data(signal=0.3)
    monkeypatch.setattr(module, "_MAX_ITERATIONS", 1)
    with pytest.raises(ScoreUndefinedError, match="of 6 features did not converge in 1 iter"):
        linear_probe_accuracy(z, labels)


def test_fewer_images_than_features_are_fitted_in_their_span():
    # 60 images of 200 features; a rotation into 60 coordinates keeps the classifier.
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    z = rng.normal(size=(60, 6)) @ rng.normal(size=(6, 200)) + rng.normal(size=(3, 200))[labels]
    scaled = StandardScaler().fit_transform(z)
    probe = _Probe(z, labels)
    weak = LogisticRegression(C=0.01, tol=1e-8, max_iter=5000).fit(scaled, labels)
    others = rng.normal(size=(500, 6)) @ rng.normal(size=(6, 200))
    guesses = weak.predict(StandardScaler().fit(z).transform(others))
    assert probe.n_correct(0.01, others, guesses) >= 499
