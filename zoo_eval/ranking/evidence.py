"""What each image says of a network: whether a linear probe on all other images gets it right."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.special import log_softmax

from zoo_eval.quantities.spectra import thin_svd
from zoo_eval.scores.transfer._ridge import left_out_predictions

# exp of these: from a probe whose smallest difference decides to one that says next to nothing.
_TEMPERATURES = 2.0 ** np.arange(-7.0, 2.5, 0.5)
_MOST_CELLS = 2_000_000  # images × classes that choose the temperature; more change nothing


class Evidence(NamedTuple):
    """Of one network, one entry per image.

    Attributes:
        log_likelihood: Of the image's own class, in nats; 0 is certain and right.
        right: Whether `ridge_probe_accuracy` gives it its own class.
    """

    log_likelihood: Float[np.ndarray, " n"]
    right: Bool[np.ndarray, " n"]


def evidence_of(
    embeddings: Shaped[np.ndarray, "n d"], labels: Int[np.ndarray, " n"], n_classes: int
) -> Evidence:
    """Leave-one-out predictions of a ridge probe as probabilities, judged image by image.

    The predictions pᵢ are those of `ridge_probe_accuracy`; softmax(pᵢ / T) makes probabilities
    of them. The penalty and T are those with the largest sum of log likelihoods of the images'
    own classes: a proper scoring rule (Gneiting and Raftery 2007), which tells networks apart
    with fewer images than the share of right answers does, as an image says more than yes or no.
    Two numbers chosen of 8 × 19 for all images leave little to overfit.

    Args:
        embeddings: One row per image, any float dtype.
        labels: Class of each image, from 0 to C − 1.
        n_classes: C.

    References:
        Gneiting and Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", JASA
        2007, https://doi.org/10.1198/016214506000001437
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017 (the temperature),
        https://arxiv.org/abs/1706.04599
    """
    z = embeddings.astype(np.float64)
    mean = z.mean(axis=0)
    svd = thin_svd(z - mean, scale=float(np.sqrt(len(z)) * np.linalg.norm(mean)))
    chosen = _spread(len(labels), n_classes)
    best: tuple[float, float, Float[np.ndarray, "n classes"]] | None = None
    right, least_error = labels < 0, np.inf
    for predictions, error in left_out_predictions(svd, labels, n_classes):
        if error < least_error:  # the penalty of `ridge_probe_accuracy`
            right, least_error = predictions.argmax(axis=1) == labels, error
        some, own = predictions[chosen], labels[chosen]
        for temperature in _TEMPERATURES:
            likelihood = float(_own(some / temperature, own).sum())
            if best is None or likelihood > best[0]:
                best = (likelihood, float(temperature), predictions)
    assert best is not None, "there are penalties and temperatures"
    _, temperature, predictions = best
    return Evidence(_own(predictions / temperature, labels), right)


def _own(
    logits: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Log probability of each image's own class."""
    return log_softmax(logits, axis=1)[np.arange(len(labels)), labels]


def _spread(n: int, n_classes: int) -> Int[np.ndarray, " m"]:
    """Places of images, evenly spread over the classes as they lie, few enough to be quick."""
    most = max(_MOST_CELLS // n_classes, 100)
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))
