"""What each image says of a network: how probable its class is to those who know all others."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.special import log_softmax

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.ranking.neighbours import neighbour_log_likelihood
from zoo_eval.scores.transfer._ridge import PENALTIES, LeftOut

# exp of these: from a probe whose smallest difference decides to one that says next to nothing.
_TEMPERATURES = 2.0 ** np.arange(-7.0, 2.5, 0.5)
_MOST_CELLS = 2_000_000  # images × classes at once; as many choose penalty and temperature
_SHARES = np.linspace(0.0, 1.0, 11)
_CONSTANT = 1e-12  # of the largest standard deviation: a feature that varies less says nothing


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
    """How probable each image's class is to a linear probe and to its neighbours together.

    Both know all images but this one. The probe is a ridge regression on one-hot labels, of
    features of unit variance; softmax(pᵢ / T) makes probabilities of its predictions pᵢ. They are
    mixed with what `neighbour_log_likelihood` says, w : 1 − w. Two judges see more than one: where
    few images fill many features, the probe alone prefers other networks than it does with more
    images, and is sure of it. The penalty and T, and then w, are those with the largest
    likelihood: a proper scoring rule (Gneiting and Raftery 2007), which tells networks apart with
    fewer images than the share of right answers does, as an image says more than yes or no. A few
    numbers chosen for all images leave little to overfit.

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
    mean, spread = z.mean(axis=0), z.std(axis=0)
    right = _right(_decomposed(z - mean, mean), labels, n_classes)
    unit = np.where(spread > _CONSTANT * spread.max(), spread, 1.0)
    probe = _probe_log_likelihood(_decomposed((z - mean) / unit, mean / unit), labels, n_classes)
    neighbours = neighbour_log_likelihood(z, labels, n_classes)
    with np.errstate(divide="ignore"):  # log 0: the other one alone
        mixed = (np.logaddexp(np.log(w) + probe, np.log(1 - w) + neighbours) for w in _SHARES)
        return Evidence(max(mixed, key=np.sum), right)


def _decomposed(centred: Float[np.ndarray, "n d"], mean: Float[np.ndarray, " d"]) -> ThinSvd:
    """Thin SVD from the eigenvectors of ZᵀZ or ZZᵀ, the smaller one: several times quicker.

    It knows squares to ε s₁², so singular values below 10⁻⁶ s₁ or so are lost. The weakest penalty,
    10⁻⁶ s₁², leaves of those one part in a million.
    """
    n, d = centred.shape
    squares, vectors = np.linalg.eigh(centred.T @ centred if d < n else centred @ centred.T)
    precision = max(n, d) * np.finfo(np.float64).eps
    # What is left after taking off the mean may be nothing but its rounding.
    rounding = n * float(mean @ mean) * precision**2
    keep = squares > max(precision * squares[-1], rounding)
    values, vectors = np.sqrt(squares[keep][::-1]), vectors[:, keep][:, ::-1]
    return ThinSvd(centred @ vectors / values if d < n else vectors, values, d)


def _right(svd: ThinSvd, labels: Int[np.ndarray, " n"], n_classes: int) -> Bool[np.ndarray, " n"]:
    """Whether the probe whose left-out squared error is the least gives each image its class."""
    others = LeftOut(svd, labels, n_classes)
    penalty = others.best_penalty()
    return np.concatenate(
        [
            others.predictions(penalty, places).argmax(axis=1) == labels[places]
            for places in _parts(len(labels), n_classes)
        ]
    )


def _probe_log_likelihood(
    svd: ThinSvd, labels: Int[np.ndarray, " n"], n_classes: int
) -> Float[np.ndarray, " n"]:
    """Log probability of each image's own class, at the best penalty and temperature."""
    others = LeftOut(svd, labels, n_classes)
    chosen = _spread(len(labels), n_classes)
    _, penalty, temperature = max(
        (float(_own(some / temperature, labels[chosen]).sum()), penalty, float(temperature))
        for penalty in PENALTIES
        for some in [others.predictions(penalty, chosen)]
        for temperature in _TEMPERATURES
    )
    return np.concatenate(
        [
            _own(others.predictions(penalty, places) / temperature, labels[places])
            for places in _parts(len(labels), n_classes)
        ]
    )


def _own(
    logits: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Log probability of each image's own class."""
    return log_softmax(logits, axis=1)[np.arange(len(labels)), labels]


def _parts(n: int, n_classes: int) -> list[Int[np.ndarray, " m"]]:
    """Places of all images, few enough together for the memory."""
    return np.array_split(np.arange(n), -(-n * n_classes // _MOST_CELLS))


def _spread(n: int, n_classes: int) -> Int[np.ndarray, " m"]:
    """Places of images, evenly spread over the classes as they lie, few enough to be quick."""
    most = max(_MOST_CELLS // n_classes, 100)
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))
