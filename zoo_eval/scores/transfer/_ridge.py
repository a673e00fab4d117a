"""Ridge regression on one-hot labels, with each image left out in turn."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_sums

# The penalty λ relative to the largest squared singular value, from strong to weak.
PENALTIES = tuple(10.0**power for power in range(1, -7, -1))


def left_out_predictions(
    centred_svd: ThinSvd, ids: Int[np.ndarray, " n"], n_classes: int
) -> Iterator[tuple[Float[np.ndarray, "n classes"], float]]:
    """Predictions of all other images for each image, and their squared error, for each penalty.

    See `ridge_probe_accuracy` for the formula; the share of the image's own class is given back.
    """
    one_hot = np.zeros((len(ids), n_classes))
    one_hot[np.arange(len(ids)), ids] = 1
    squares = centred_svd.singular_values**2
    projections = class_sums(centred_svd.left, ids, n_classes).T  # Uᵀ y
    own_share = (one_hot - one_hot.mean(axis=0)) / (len(ids) - 1)
    for penalty in PENALTIES:
        shrinkage = squares / (squares + penalty * squares.max(initial=0))
        errors = _left_out_errors(centred_svd.left, shrinkage, projections, one_hot)
        yield one_hot - errors + own_share, float(np.sum(errors**2))


def _left_out_errors(
    left: Float[np.ndarray, "n k"],
    shrinkage: Float[np.ndarray, " k"],
    projections: Float[np.ndarray, "k classes"],
    one_hot: Float[np.ndarray, "n classes"],
) -> Float[np.ndarray, "n classes"]:
    """Label less the prediction of the other images, for each image and class."""
    leverage = 1 / len(left) + left**2 @ shrinkage
    predictions = one_hot.mean(axis=0) + left @ (shrinkage[:, None] * projections)
    return (one_hot - predictions) / (1 - leverage)[:, None]
