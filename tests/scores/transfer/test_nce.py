import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import nce


def data(n=50, source=5, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, source)), rng.permutation(np.arange(n) % classes)


def class_entropy(labels):
    shares = np.bincount(labels) / len(labels)
    return -np.sum(shares * np.log(shares))


# 1. closed forms


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_one_prediction_for_all_gives_minus_ln_c(classes):
    labels = np.arange(classes * 3) % classes
    logits = np.tile([0.0, 5.0, 1.0], (classes * 3, 1))
    assert nce(logits, labels) == pytest.approx(-np.log(classes), rel=1e-12)


def test_predictions_that_determine_the_class_give_zero():
    predictions = np.array([0, 1, 2, 3, 4])
    assert nce(np.eye(5)[predictions], np.array([0, 0, 1, 1, 0])) == 0


def test_counts_two_to_one():
    # One of the network's classes holds two images of a class and one of another, the other one
    # is pure: −(3/4) H(2/3, 1/3).
    logits = np.eye(2)[[0, 0, 0, 1]]
    entropy = np.log(3) - 2 / 3 * np.log(2)
    assert nce(logits, np.array([0, 0, 1, 1])) == pytest.approx(-0.75 * entropy, rel=1e-12)


# 2. independent values


@pytest.mark.parametrize("program", ["thuml", "tllib"])
def test_equals_the_official_code(reference_embeddings, parity, case, program):
    _, labels, logits = reference_embeddings(case)
    parity.embeddings(case, f"nce/{program}", nce(logits=logits, labels=labels))


def test_parc_adds_to_every_count(reference_embeddings, expected, case):
    # 1e-5 to each probability, of pairs and of the network's classes, without renormalising: with
    # many of both this moves the value by up to 2 %.
    _, labels, logits = reference_embeddings(case)
    joint = np.zeros((logits.shape[1], labels.max() + 1))
    np.add.at(joint, (logits.argmax(axis=1), labels), 1 / len(labels))
    shifted = joint + 1e-5
    conditional = shifted / (joint.sum(axis=1, keepdims=True) + 1e-5)
    parc = np.sum(shifted * np.log(conditional))
    assert parc == pytest.approx(expected(case, "nce/parc"), rel=1e-9)
    value = nce(logits=logits, labels=labels)
    assert 1e-3 < value - parc < 0.03


def test_is_mutual_information_less_the_entropy_of_the_classes():
    logits, labels = data()
    value = mutual_info_score(labels, logits.argmax(axis=1)) - class_entropy(labels)
    assert nce(logits, labels) == pytest.approx(value, rel=1e-12)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1))
def test_unchanged_by_order_and_by_names_of_both_kinds_of_class(seed):
    rng = np.random.default_rng(seed)
    logits, labels = data(seed=seed)
    order = rng.permutation(50)
    renamed = np.array([9, 2, 5, 77])[labels][order]
    moved = logits[order][:, rng.permutation(5)]
    assert nce(moved, renamed) == pytest.approx(nce(logits, labels), rel=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_between_the_entropy_of_the_classes_and_zero(seed):
    logits, labels = data(seed=seed)
    assert -class_entropy(labels) - 1e-12 <= nce(logits, labels) <= 0


def test_only_the_largest_logit_matters():
    logits, labels = data()
    assert nce(logits**3 * 7 + 1, labels) == nce(logits, labels)


# 4. errors


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"NCE .* more classes, but all 4 images"):
        nce(np.eye(4), np.zeros(4, dtype=np.int64))
