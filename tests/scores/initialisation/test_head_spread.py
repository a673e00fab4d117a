import numpy as np
import pytest

from tests.scores.initialisation.data import clouds
from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import centred_svd
from zoo_eval.scores import head_spread
from zoo_eval.scores.initialisation._heads import few_labels
from zoo_eval.scores.initialisation._spread import Answers, bootstrapped_answers

# 1. closed forms


def test_spread_and_error_by_hand():
    # Two heads, two images: they differ by 0.4 about the first, and agree about the second.
    probabilities = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.2, 0.8]]])
    answers = Answers(probabilities, np.array([0, 0]))
    np.testing.assert_allclose(answers.spread, [0.4 / np.sqrt(2), 0], rtol=1e-12)
    np.testing.assert_allclose(answers.errors, [0.3, 0.8], rtol=1e-12)


def test_heads_that_wholly_differ_have_the_largest_spread():
    answers = Answers(np.array([[[1.0, 0.0]], [[0.0, 1.0]]]), np.array([0]))
    np.testing.assert_allclose(answers.spread, [np.sqrt(0.5)], rtol=1e-12)


# 2. independent values


def test_equals_heads_that_are_trained_by_hand():
    z, labels = clouds(per_class=15, classes=3, d=4)
    svd = centred_svd(z)
    options = {"shots": 5, "steps": 20, "heads": 3, "seed": 4}
    found = bootstrapped_answers(svd, labels, **options)
    x = svd.left * svd.singular_values / svd.singular_values[0] * np.sqrt(45)
    # The images that were not drawn are those that are asked about, in their order.
    few = few_labels(labels, "It", shots=5, heads=3, seed=4)
    for head in range(3):
        rng = np.random.default_rng([4, head])
        weights, bias = rng.normal(0, 0.5, size=(4, 3)), np.zeros(3)
        places = rng.choice(few.train[0], 15)
        one_hot = np.eye(3)[few.ids[places]]
        for _ in range(20):
            wrong = (softmax(x[places] @ weights + bias) - one_hot) / 15
            weights, bias = weights - x[places].T @ wrong, bias - wrong.sum(axis=0)
        expected = softmax(x[few.test[0]] @ weights + bias)
        np.testing.assert_allclose(found.probabilities[head], expected, rtol=1e-3, atol=1e-5)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_is_the_mean_over_images():
    z, labels = clouds()
    answers = bootstrapped_answers(centred_svd(z), labels, shots=10, steps=100, heads=10, seed=0)
    assert head_spread(embeddings=z, labels=labels) == np.mean(answers.spread)


# 3. what it should tell


def test_less_where_classes_are_far_apart_and_where_there_are_more_labels():
    near, labels = clouds(per_class=60, signal=0.5)
    far, _ = clouds(per_class=60, signal=5.0)
    spread = head_spread(embeddings=near, labels=labels)
    assert head_spread(embeddings=far, labels=labels) < spread / 2
    assert head_spread(embeddings=near, labels=labels, shots=40) < spread


def test_unchanged_by_scale_and_class_names():
    z, labels = clouds()
    found = head_spread(embeddings=z, labels=labels)
    assert head_spread(embeddings=8 * z, labels=labels * 3 + 2) == pytest.approx(found, rel=1e-6)
    assert head_spread(embeddings=z, labels=labels, seed=1) != found


# 4. errors


def test_errors():
    z, labels = clouds(per_class=10)
    with pytest.raises(ScoreUndefinedError, match=r"0 of 4 classes have more than 10; .* has 10"):
        head_spread(embeddings=z, labels=labels)
    with pytest.raises(InputError, match="heads must be ≥ 2, but is 1"):
        head_spread(embeddings=z, labels=labels, heads=1)
    with pytest.raises(InputError, match="steps must be ≥ 0, but is -1"):
        head_spread(embeddings=z, labels=labels, steps=-1)
