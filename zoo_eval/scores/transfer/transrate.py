"""TransRate, the coding rate that knowing the class saves."""

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score


@score(unit="nats", higher_is_better=True)
def transrate(
    centred_svd: ThinSvd, labels: Int[np.ndarray, " n"], *, eps: float | int = 1e-4
) -> float:
    """Coding rate of the embeddings less the mean coding rate of one class.

    Let X be the embeddings less their mean over all images and X_c the rows of class c, not
    centred again. With R(X) = ½ ln det(I + XᵀX / (n ε)), n the number of rows,
    TransRate = R(X) − (1/C) Σ_c R(X_c).

    Classes count the same whatever their size, as in the authors' code; with unequal classes
    the value can then be negative. Each R is computed on the smaller of its two Gram matrices.
    Features are not scaled, so the value grows with their scale and with d: where ε is small
    against the variances, doubling the features adds about ln 2 times the difference of the
    rank of X and the mean rank of X_c. Random noise of 200 images in 300 dimensions already
    gets hundreds of nats.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        eps: ε, the squared distortion up to which embeddings are encoded.

    Returns:
        Nats; at least 0 for classes of equal size. Higher: classes fill fewer directions than
        all images do. Unchanged by rotation, translation, reordering images and renaming
        classes, but not by scale.

    Raises:
        InputError: eps is not positive.
        ScoreUndefinedError: there is one class only, or all embeddings are equal.

    References:
        Huang et al., "Frustratingly Easy Transferability Estimation", ICML 2022,
        https://arxiv.org/abs/2106.09362

    >>> z = np.array([[1.0], [1.0], [-1.0], [-1.0]])  # one direction, in each class as in all
    >>> transrate(embeddings=z, labels=np.array([0, 0, 1, 1]))
    0.0
    """
    if eps <= 0:
        raise InputError(f"eps, the squared distortion, must be positive, but is {eps}.")
    ids, sizes = class_ids(labels, "TransRate")
    values = centred_svd.singular_values
    if len(values) == 0:
        raise ScoreUndefinedError(
            f"TransRate needs embeddings that vary, but all {len(ids)} are equal."
        )
    points = centred_svd.left * values
    of_all = np.log1p(values**2 / (len(ids) * eps)).sum() / 2
    by_class = np.split(points[np.argsort(ids, kind="stable")], np.cumsum(sizes)[:-1])
    of_classes = sum(_coding_rate(rows, eps) for rows in by_class)
    return float(of_all - of_classes / len(sizes))


def _coding_rate(points: Float[np.ndarray, "m k"], eps: float | int) -> float:
    """½ ln det(I + XᵀX / (m ε)), by X Xᵀ where that is smaller."""
    m, k = points.shape
    gram = points @ points.T if m < k else points.T @ points
    return float(np.linalg.slogdet(np.eye(len(gram)) + gram / (m * eps))[1]) / 2
