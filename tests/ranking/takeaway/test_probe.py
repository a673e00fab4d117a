"""The fitted probe: ridge regression as scikit-learn has it, with the accuracy of the score."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss

from zoo_eval.errors import ProbeError
from zoo_eval.ranking.takeaway.probe import fit_probe
from zoo_eval.scores import SCORES


def clouds(n: int, d: int, n_classes: int, spread: float = 1.0, seed: int = 0):
    """Normal clouds around the classes' centres."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    centres = rng.normal(0, spread, (n_classes, d))
    return (centres[labels] + rng.normal(size=(n, d)) + 5).astype(np.float32), labels


def names(n: int) -> tuple[str, ...]:
    return tuple(f"class {place}" for place in range(n))


@pytest.mark.parametrize(("n", "d", "n_classes"), [(60, 5, 3), (40, 90, 4), (30, 8, 2)])
def test_the_coefficients_are_scikit_learns(n, d, n_classes):
    z, labels = clouds(n, d, n_classes)
    fitted = fit_probe(z, labels, names(n_classes))
    # The null space has no say: Ridge leaves it out too.
    reference = Ridge(alpha=fitted.penalty, solver="svd").fit(
        z.astype(np.float64), np.eye(n_classes)[labels]
    )
    scale = fitted.temperature
    np.testing.assert_allclose(fitted.probe.weight * scale, reference.coef_, atol=1e-10)
    np.testing.assert_allclose(fitted.probe.bias * scale, reference.intercept_, atol=1e-9)


@pytest.mark.parametrize("spread", [0.2, 0.5, 1.0])
def test_left_out_means_fitted_without_the_image(spread):
    z, labels = clouds(25, 6, 3, spread)
    fitted = fit_probe(z, labels, names(3))
    one_hot = np.eye(3)[labels]
    for place in range(25):
        others = np.arange(25) != place
        ridge = Ridge(alpha=fitted.penalty).fit(z[others].astype(np.float64), one_hot[others])
        predicted = ridge.predict(z[place : place + 1].astype(np.float64))[0]
        # The image's own class gets back the share that it lost by being left out.
        predicted = predicted + (one_hot[place] - one_hot.mean(axis=0)) / 24
        exponentials = np.exp(predicted / fitted.temperature)
        np.testing.assert_allclose(
            fitted.left_out[place], exponentials / exponentials.sum(), rtol=1e-6
        )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 5), st.floats(0.1, 2))
def test_the_accuracy_is_the_scores(seed, n_classes, spread):
    z, labels = clouds(40, 7, n_classes, spread, seed)
    accuracy = fit_probe(z, labels, names(n_classes)).accuracy
    score = SCORES["ridge_probe_accuracy"](embeddings=z, labels=labels)
    assert accuracy.value == pytest.approx(score, abs=1e-12)
    assert accuracy.low <= accuracy.value <= accuracy.high


def test_the_interval_covers_new_images():
    """Of 100 datasets, about 95 have the accuracy on many new images inside."""
    covered = 0
    for seed in range(100):
        z, labels = clouds(4150, 10, 3, 0.6, seed)
        fitted = fit_probe(z[:150], labels[:150], names(3))
        new = fitted.probe.probabilities(z[150:]).argmax(axis=1) == labels[150:]
        covered += fitted.accuracy.low <= new.mean() <= fitted.accuracy.high
    assert covered >= 88  # below that with probability 0.003, were it 95 %


def test_the_probabilities_are_as_likely_as_they_say():
    z, labels = clouds(5300, 10, 3, 0.5)
    fitted = fit_probe(z[:300], labels[:300], names(3))
    found = fitted.probe.probabilities(z[300:])
    np.testing.assert_allclose(found.sum(axis=1), 1)
    sure = found.max(axis=1)
    right = found.argmax(axis=1) == labels[300:]
    for low, high in ((0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        chosen = (sure >= low) & (sure < high)
        assert chosen.sum() > 200
        assert abs(sure[chosen].mean() - right[chosen].mean()) < 0.07
    # Any other temperature is worse, up to chance.
    best = log_loss(labels[300:], found)
    for factor in (0.5, 2.0):
        logits = np.log(found) * factor
        other = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        assert log_loss(labels[300:], other) > best


def test_nothing_is_thought_impossible_for_a_few_images_were_right():
    z, labels = clouds(8, 3, 2, 30)
    fitted = fit_probe(z, labels, names(2))
    assert fitted.right.all()
    assert 0.5 < fitted.left_out.max(axis=1).mean() < 0.99


def test_two_images_of_each_of_many_classes():
    z, labels = clouds(2000, 64, 1000, 2)
    fitted = fit_probe(z, labels, names(1000))
    assert fitted.probe.weight.shape == (1000, 64)
    assert fitted.accuracy.value > 0.5


def test_embeddings_that_say_nothing():
    fitted = fit_probe(np.ones((30, 4), np.float32), np.array([0] * 20 + [1] * 10), names(2))
    found = fitted.probe.probabilities(np.zeros((3, 4), np.float32))
    assert (found.argmax(axis=1) == 0).all()
    assert np.isfinite(found).all()
    assert fitted.accuracy.value == pytest.approx(2 / 3)


@pytest.mark.parametrize(("labels", "seen"), [([1, 1, 1], "class 1"), ([], "none")])
def test_one_class(labels, seen):
    with pytest.raises(ProbeError, match=f"two are needed, but there is {seen}"):
        fit_probe(np.ones((len(labels), 2)), np.array(labels, dtype=np.int64), names(2))
