import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores import leep, nce


def data(n=40, source=6, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    logits = 2 * rng.normal(size=(n, source)) + 2 * rng.normal(size=(classes, source))[labels]
    return softmax(logits, axis=1), labels


def slow_leep(theta, labels):
    """The definition, image by image."""
    n, source = theta.shape
    total = 0.0
    for i in range(n):
        likelihood = 0.0
        for z in range(source):
            mass = sum(theta[j, z] for j in range(n))
            of_class = sum(theta[j, z] for j in range(n) if labels[j] == labels[i])
            likelihood += of_class / mass * theta[i, z]
        total += np.log(likelihood)
    return total / n


# 1. closed forms


@pytest.mark.parametrize("classes", [2, 5])
def test_a_network_that_cannot_tell_gives_minus_ln_c(classes):
    theta = np.full((classes * 4, 3), 1 / 3)
    assert leep(theta, np.arange(classes * 4) % classes) == pytest.approx(-np.log(classes))


def test_a_network_that_knows_the_classes_gives_zero():
    labels = np.array([0, 1, 2, 0, 1])
    assert leep(np.eye(4)[labels], labels) == 0


def test_two_images():
    # P(y | z) = [[.8, .2], [.2, .8]]: each image gets .8² + .2².
    theta = np.array([[0.8, 0.2], [0.2, 0.8]])
    assert leep(theta, np.array([0, 1])) == pytest.approx(np.log(0.68), rel=1e-12)


def test_hard_predictions_give_nce():
    rng = np.random.default_rng(0)
    theta = np.eye(5)[rng.integers(0, 5, size=50)]
    labels = rng.integers(0, 3, size=50)
    assert leep(theta, labels) == pytest.approx(nce(theta, labels), rel=1e-12)


# 2. independent values


# The program of google computes in float32, which its stored tolerance allows for.
@pytest.mark.parametrize("program", ["thuml", "tllib", "parc", "google"])
def test_equals_the_official_code(reference_embeddings, parity, case, program):
    _, labels, logits = reference_embeddings(case)
    parity.embeddings(case, f"leep/{program}", leep(logits=logits, labels=labels))


def test_equals_the_slow_definition():
    theta, labels = data()
    assert leep(theta, labels) == pytest.approx(slow_leep(theta, labels), rel=1e-12)


def test_a_source_class_without_mass_contributes_nothing():
    theta, labels = data()
    padded = np.hstack([theta, np.zeros((40, 2))])
    assert leep(padded, labels) == pytest.approx(leep(theta, labels), rel=1e-12)


def test_float32_logits_that_underflow_are_no_nan(reference_embeddings, expected):
    # Official code returns NaN for the same float32 input.
    _, labels, logits = reference_embeddings("degenerate")
    value = leep(logits=logits.astype(np.float32), labels=labels)
    assert value == pytest.approx(expected("degenerate", "leep/thuml"), rel=1e-9)


# 3. symmetries


@given(seed=st.integers(0, 2**32 - 1))
def test_unchanged_by_order_and_by_names_of_both_kinds_of_class(seed):
    rng = np.random.default_rng(seed)
    theta, labels = data(seed=seed)
    order = rng.permutation(40)
    renamed = np.array([9, 2, 5])[labels]
    moved = theta[:, rng.permutation(6)]
    assert leep(moved[order], renamed[order]) == pytest.approx(leep(theta, labels), rel=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_between_the_entropy_of_the_classes_and_zero(seed):
    theta, labels = data(seed=seed)
    shares = np.bincount(labels) / 40
    # By Jensen −H(Y) is what the best constant θ gives, and any other in-sample fit beats it.
    assert np.sum(shares * np.log(shares)) - 1e-12 <= leep(theta, labels) <= 0


# 4. errors


def test_logits_are_refused():
    with pytest.raises(InputError, match=r"smallest entry is -2 and one row sums to 7"):
        leep(np.array([[-2.0, 9.0], [0.5, 0.5]]), np.array([0, 1]))


def test_positive_rows_that_do_not_sum_to_one_are_refused():
    with pytest.raises(InputError, match=r"smallest entry is 0.5 and one row sums to 1.25"):
        leep(np.array([[0.5, 0.75], [0.5, 0.5]]), np.array([0, 1]))


def test_one_class_is_undefined():
    with pytest.raises(ScoreUndefinedError, match=r"LEEP .* more classes, but all 4 images"):
        leep(np.full((4, 2), 0.5), np.zeros(4, dtype=np.int64))
