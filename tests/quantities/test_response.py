import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy, ortho_group

from zoo_eval.quantities.forward import ForwardPass
from zoo_eval.quantities.response import Response, linear_cka, response

RNG = np.random.default_rng(0)
X = RNG.standard_normal((30, 6)) * np.arange(1, 7)


def outputs(logits, embeddings=X):
    return ForwardPass(embeddings, np.asarray(logits, dtype=np.float64))


def test_no_change():
    logits = RNG.standard_normal((30, 4))
    labels = logits.argmax(axis=1)
    labels[:3] += 1
    assert response(outputs(logits), outputs(logits), labels) == Response(1.0, 1.0, 1.0, 0.9)


def test_share_of_classes_that_stay_and_accuracy():
    before = np.eye(4)[[0, 1, 2, 3]]
    after = np.eye(4)[[0, 1, 3, 0]]
    found = response(outputs(before, X[:4]), outputs(after, X[:4]), np.array([0, 2, 2, 0]))
    assert (found.agreement, found.accuracy) == (0.5, 0.5)
    assert response(outputs(before, X[:4]), outputs(after, X[:4]), None).accuracy is None


def test_divergence_equals_scipys():
    before, after = RNG.standard_normal((2, 30, 5)) * 3
    p, q = softmax(before, axis=1), softmax(after, axis=1)
    expected = np.exp(-np.mean([entropy(*pair) for pair in zip(p, q, strict=True)]))
    found = response(outputs(before), outputs(after), None)
    assert found.fidelity == pytest.approx(expected, rel=1e-12)
    # Its order matters: from the network before to the one after.
    assert found.fidelity != pytest.approx(response(outputs(after), outputs(before), None).fidelity)


def test_probabilities_that_underflow():
    before, after = np.array([[0.0, -800.0]]), np.array([[-800.0, 0.0]])
    found = response(outputs(before, X[:1]), outputs(after, X[:1]), None)
    assert found.fidelity == pytest.approx(0, abs=1e-300)


def test_outputs_that_are_no_numbers():
    logits = RNG.standard_normal((30, 4))
    assert response(outputs(logits), None, np.zeros(30, int)) == Response(0.0, 0.0, 0.0, 0.0)
    assert response(outputs(logits), None, None) == Response(0.0, 0.0, 0.0, None)


@pytest.mark.parametrize("shape", [(30, 6), (6, 30)])
def test_cka_knows_no_rotation_shift_or_scale(shape):
    x = RNG.standard_normal(shape)
    rotation = ortho_group.rvs(shape[1], random_state=RNG)
    assert linear_cka(x, 1e-30 * x @ rotation + 1e-29) == pytest.approx(1, rel=1e-9)
    assert linear_cka(x, 1e30 * x) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("n", [8, 40])
def test_cka_equals_its_definition_with_kernels(n):
    x, y = RNG.standard_normal((n, 12)), RNG.standard_normal((n, 20))
    centre = np.eye(n) - 1 / n
    k, h = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre
    expected = np.trace(k @ h) / np.sqrt(np.trace(k @ k) * np.trace(h @ h))
    assert linear_cka(x, y) == pytest.approx(expected, rel=1e-9)


def test_cka_of_embeddings_that_do_not_vary():
    constant = np.full((30, 2), 0.1)
    assert linear_cka(X, constant) == linear_cka(constant, X) == 0
    assert linear_cka(constant, constant) == 1
