"""The linear discriminant analysis that the three parts of NCTI share."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import eigh
from scipy.special import softmax

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids, class_sums

_N_COMPONENTS = 64
_N_VARIANCES = 32  # those that set the shrinkage
_LEAST_COMPONENT = 1e-6  # of the first: below it are roundings of float32 embeddings
_LEAST_SHRINKAGE = 1e-10  # at and below it, the covariance is not shrunk
# scikit-learn's `tol`: a direction counts if its standard deviation within classes, of features
# scaled to 1, is above it; or between classes, relative to the first direction's.
_LEAST_DEVIATION = 1e-4
_ROUNDING = 1e-9  # class means this close, in standard deviations within classes, are equal


class Discriminant(NamedTuple):
    """What the fitted classifier says of the images that it was fitted on."""

    projections: Float[np.ndarray, "n directions"]  # centred; at most C − 1 directions
    posteriors: Float[np.ndarray, "n classes"]  # probability of each class, rows sum to 1
    ids: Int[np.ndarray, " n"]


def discriminant(svd: ThinSvd, labels: Int[np.ndarray, " n"]) -> Discriminant:
    """Linear discriminant analysis on the first 64 principal components.

    There are fewer where the centred embeddings have a lower rank, as far as float32 can tell.

    Raises:
        ScoreUndefinedError: there is one class only, the images of each class are all equal, or,
            where the covariance within classes is not shrunk, it is singular.
    """
    ids, sizes = class_ids(labels, "NCTI")
    n = len(ids)
    strengths = svd.singular_values[:_N_COMPONENTS]
    kept = strengths[strengths > _LEAST_COMPONENT * svd.singular_values[:1]]
    x = svd.left[:, : len(kept)] * kept
    means = class_sums(x, ids, len(sizes)) / sizes[:, None]
    within = x - means[ids]
    rounding = np.finfo(np.float64).eps * max(n, svd.n_features)
    if np.linalg.norm(within) <= rounding * np.linalg.norm(x):
        raise ScoreUndefinedError(
            f"NCTI needs embeddings that vary within a class, but in all {len(sizes)} classes of "
            f"the {n} images they are equal. Take more images of each class."
        )
    variances = kept[:_N_VARIANCES] ** 2 / (n - 1)
    shrinkage = float(np.exp(-variances.sum()))
    if shrinkage <= _LEAST_SHRINKAGE:
        scalings = _whiten(within, means, sizes)
    else:
        scalings = _whiten_shrunk(within, means, sizes, shrinkage)
    whitened_means = means @ scalings
    whitened = x @ scalings
    scores = whitened @ whitened_means.T - np.sum(whitened_means**2, axis=1) / 2
    posteriors = np.asarray(softmax(scores + np.log(sizes / n), axis=1))
    return Discriminant(whitened[:, : len(sizes) - 1], posteriors, ids)


def _whiten(
    within: Float[np.ndarray, "n k"],
    means: Float[np.ndarray, "classes k"],
    sizes: Int[np.ndarray, " classes"],
) -> Float[np.ndarray, "k directions"]:
    """Directions between the class means, of variance 1 within classes."""
    n, k = within.shape
    deviations = np.linalg.norm(within, axis=0) / np.sqrt(n)
    deviations[deviations == 0] = 1
    _, strengths, rows = np.linalg.svd(within / deviations / np.sqrt(n), full_matrices=False)
    rank = int(np.sum(strengths > _LEAST_DEVIATION))
    if rank < k:
        # scikit-learn, and so official code, goes on without these directions. But classes differ
        # there, or they would be no principal components: they are the ones that collapsed.
        raise ScoreUndefinedError(
            f"NCTI needs embeddings that vary within classes in all {k} principal components, but "
            f"the {n} images of {len(sizes)} classes vary in {rank}. Take more images."
        )
    scalings = (rows / deviations).T / strengths
    between = np.sqrt(sizes / n)[:, None] * (means @ scalings)
    _, strengths, rows = np.linalg.svd(between, full_matrices=False)
    least = max(_LEAST_DEVIATION * strengths[0], _ROUNDING)
    return scalings @ rows[strengths > least].T


def _whiten_shrunk(
    within: Float[np.ndarray, "n k"],
    means: Float[np.ndarray, "classes k"],
    sizes: Int[np.ndarray, " classes"],
    shrinkage: float,
) -> Float[np.ndarray, "k k"]:
    """All directions, best first, of variance 1 in the shrunk covariance W_a within classes.

    They are the eigenvectors of the total less the within covariance, both shrunk, relative to
    W_a, as in scikit-learn. With W and B the covariances within and between classes, these are
    the eigenvectors of B − (tr B / tr W) W relative to W_a, which is also accurate for a near 1.
    """
    n, k = within.shape
    covariance = within.T @ within / n
    between = means.T @ (means * (sizes / n)[:, None])
    mean_variance = np.trace(covariance) / k
    shrunk = (1 - shrinkage) * covariance + shrinkage * mean_variance * np.eye(k)
    _, vectors = eigh(between - np.trace(between) / np.trace(covariance) * covariance, shrunk)
    return np.asarray(vectors)[:, ::-1]
