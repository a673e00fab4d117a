"""Against ridge regressions that are really fitted without each image."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import Ridge

from zoo_eval.ranking.evidence import evidence_of
from zoo_eval.ranking.neighbours import neighbour_log_likelihood
from zoo_eval.scores import SCORES
from zoo_eval.scores.transfer._ridge import PENALTIES

TEMPERATURES = 2.0 ** np.arange(-7.0, 2.5, 0.5)


def clouds(n: int, d: int, n_classes: int, spread: float, seed: int = 0):
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    centres = generator.normal(size=(n_classes, d))
    return (centres[labels] + spread * generator.normal(size=(n, d))), labels


def left_out(z: np.ndarray, labels: np.ndarray, penalty: float) -> np.ndarray:
    """Predictions for each image by a regression that has not seen it, its share given back."""
    targets = np.eye(labels.max() + 1)[labels]
    largest = np.linalg.svd(z - z.mean(axis=0), compute_uv=False)[0] ** 2
    rows = []
    for place in range(len(z)):
        others = np.delete(np.arange(len(z)), place)
        # scikit-learn centres the others; so does the closed form
        fitted = Ridge(alpha=penalty * largest).fit(z[others], targets[others])
        rows.append(fitted.predict(z[[place]])[0])
    return np.array(rows) + (targets - targets.mean(axis=0)) / (len(z) - 1)


def probe(z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Log likelihoods at the best penalty and temperature."""
    own = np.arange(len(z))
    return max(
        (
            log_softmax(left_out(z, labels, penalty) / temperature, axis=1)[own, labels]
            for penalty in PENALTIES
            for temperature in TEMPERATURES
        ),
        key=np.sum,
    )


@pytest.mark.parametrize(("d", "spread"), [(4, 1.5), (50, 1.0)])
def test_the_likelihood_is_that_of_the_best_mixture_of_probe_and_neighbours(d, spread):
    z, labels = clouds(30, d, 3, spread)
    z = z * np.geomspace(1, 100, d)  # which is no matter to the probe
    found = evidence_of(z, labels, 3)
    standardised = (z - z.mean(axis=0)) / z.std(axis=0)
    of_probe = np.exp(probe(standardised, labels))
    of_neighbours = np.exp(neighbour_log_likelihood(z, labels, 3))
    best = max(
        (np.log(w * of_probe + (1 - w) * of_neighbours) for w in np.linspace(0, 1, 11)),
        key=np.sum,
    )
    # Penalties are of the largest singular value of all images, here and there; rtol: of the SVD.
    np.testing.assert_allclose(found.log_likelihood, best, rtol=1e-6)


def test_right_is_the_score_of_that_name():
    z, labels = clouds(60, 5, 4, 1.2)
    found = evidence_of(z.astype(np.float32), labels, 4)
    score = SCORES["ridge_probe_accuracy"](embeddings=z.astype(np.float32), labels=labels)
    assert found.right.mean() == pytest.approx(float(score))


def test_better_embeddings_have_more_likelihood():
    means = [
        evidence_of(*clouds(200, 8, 4, spread), 4).log_likelihood.mean()
        for spread in (0.2, 0.6, 1.2, 2.4, 40.0)
    ]
    assert means == sorted(means, reverse=True)
    # Embeddings that say nothing: no better than the classes' shares, and hardly worse.
    assert means[-1] == pytest.approx(np.log(1 / 4), abs=0.03)


def test_equal_embeddings_say_nothing_and_are_no_error():
    found = evidence_of(np.ones((10, 3)), np.arange(10) % 2, 2)
    np.testing.assert_allclose(found.log_likelihood, np.log(0.5), atol=0.02)


def test_the_order_of_images_and_features_is_no_matter():
    z, labels = clouds(40, 6, 3, 1.0)
    order = np.random.default_rng(1).permutation(40)
    found, again = evidence_of(z, labels, 3), evidence_of(z[order, ::-1], labels[order], 3)
    np.testing.assert_allclose(again.log_likelihood, found.log_likelihood[order], rtol=1e-9)
