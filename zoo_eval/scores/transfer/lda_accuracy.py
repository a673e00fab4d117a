"""Accuracy of linear discriminant analysis, each image left out in turn."""

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import cholesky, solve_triangular

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score
from zoo_eval.scores.transfer._ledoit_wolf import ledoit_wolf_weight
from zoo_eval.scores.transfer._most_likely import share_right

# The Ledoit–Wolf weight is 0 where all images are equally far from their class mean, and in one
# dimension. This much keeps the covariance invertible there, and is felt nowhere else.
_LEAST_SHRINKAGE = 1e-10


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0))
def lda_accuracy(
    centred_svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    shrinkage: float | int | None = None,
) -> float:
    """Leave-one-out accuracy of linear discriminant analysis with a shrunk covariance.

    Each image is given the class c with the smallest ½ (z − μ_c)ᵀ Σ⁻¹ (z − μ_c) − ln n_c, where
    Σ = (1 − a) W + r I, W is the covariance within classes (divided by the number of images),
    and μ_c and W are taken without the image. What is taken from all images is the ridge
    r = a tr W / d, with a the Ledoit–Wolf weight of the embeddings less their class means, and
    the class sizes n_c: without an image its own class would be the less likely for it. Leaving
    out an image changes Σ by a matrix of rank one, so no loop is needed: O(n k (k + C)).

    scikit-learn estimates a weight for each class, on features scaled to variance 1 in that
    class, and so depends on the axes. An image alone in its class counts as wrong. When m
    classes are equally good, one of them being right counts 1/m.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        shrinkage: The weight a, above 0 and up to 1, where W has no effect but through its
            trace; None takes the Ledoit–Wolf estimate, at least 1e-10.

    Returns:
        Fraction of images that are given their own class, from 0 to 1; about the share of the
        largest class if the embeddings say nothing. Unchanged by rotation, translation, scale,
        reordering images and renaming classes.

    Raises:
        InputError: shrinkage is not in (0, 1].
        ScoreUndefinedError: there is one class only, or the images of each class are all equal.

    References:
        Fisher, "The Use of Multiple Measurements in Taxonomic Problems", Annals of Eugenics
        1936, https://doi.org/10.1111/j.1469-1809.1936.tb02137.x
        Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance
        matrices", 2004, https://doi.org/10.1016/S0047-259X(03)00096-4

    >>> z = np.array([[0.0], [1.0], [2.0], [7.0], [8.0], [9.0]])
    >>> lda_accuracy(embeddings=z, labels=np.array([0, 0, 0, 1, 1, 1]))
    1.0
    """
    if shrinkage is not None and not 0 < shrinkage <= 1:
        raise InputError(f"shrinkage must be above 0 and at most 1, but is {shrinkage}.")
    ids, sizes = class_ids(labels, "Discriminant analysis")
    n = len(ids)
    z = centred_svd.left * centred_svd.singular_values
    means = class_sums(z, ids, len(sizes)) / sizes[:, None]
    within = z - means[ids]
    squared_lengths = np.sum(within**2, axis=1)
    trace = float(squared_lengths.mean())
    rounding = np.finfo(np.float64).eps * max(n, centred_svd.n_features)
    if np.sqrt(n * trace) <= rounding * np.linalg.norm(z):
        raise ScoreUndefinedError(
            f"Discriminant analysis needs embeddings that vary within a class, but in all "
            f"{len(sizes)} classes of the {n} images they are equal. Take more images."
        )
    covariance = within.T @ within / n
    if shrinkage is None:
        squared_norm = float(np.sum(covariance**2))
        weight = ledoit_wolf_weight(squared_lengths, squared_norm, centred_svd.n_features)
        shrinkage = max(_LEAST_SHRINKAGE, weight)
    ridge = shrinkage * trace / centred_svd.n_features
    scores = _left_out_scores(z, means, ids, sizes, covariance, float(shrinkage), ridge)
    largest = np.abs(scores).max(axis=1, where=np.isfinite(scores), initial=0)
    return share_right(scores, ids, largest)


def _left_out_scores(
    z: Float[np.ndarray, "n k"],
    means: Float[np.ndarray, "classes k"],
    ids: Int[np.ndarray, " n"],
    sizes: Int[np.ndarray, " classes"],
    covariance: Float[np.ndarray, "k k"],
    shrinkage: float,
    ridge: float,
) -> Float[np.ndarray, "n classes"]:
    """Log probability of each class, but for a constant of the image, fitted without that image.

    Without image i, Σ is A − γ rrᵀ: A = (1 − a) n / (n − 1) W + ridge · I, r = zᵢ − μ_c and
    γ = (1 − a) n_c / ((n_c − 1)(n − 1)). By Sherman and Morrison, with t = 1 − γ rᵀA⁻¹r,
    (A − γ rrᵀ)⁻¹ = A⁻¹ + γ A⁻¹r rᵀA⁻¹ / t. All products are taken after whitening by A.
    """
    n, k = z.shape
    images = np.arange(n)
    matrix = (1 - shrinkage) * n / (n - 1) * covariance + ridge * np.eye(k)
    factor = cholesky(matrix, lower=True)
    w = np.asarray(solve_triangular(factor, z.T, lower=True)).T
    v = np.asarray(solve_triangular(factor, means.T, lower=True)).T
    r = w - v[ids]
    own = np.sum(r**2, axis=1)  # rᵀA⁻¹r
    # Leaving an image out of its class takes its distance from the mean up by this factor; alone
    # in its class it is the mean, and r = 0.
    others = sizes[ids] - 1
    up = np.divide(sizes[ids], others, out=np.ones(n), where=others > 0)
    gamma = (1 - shrinkage) * up / (n - 1)
    t = np.maximum(1 - gamma * own, np.finfo(np.float64).eps)
    distances = np.add.outer(np.sum(w**2, axis=1), np.sum(v**2, axis=1)) - 2 * (w @ v.T)
    along = np.sum(w * r, axis=1)[:, None] - r @ v.T
    scores = np.log(sizes) - (distances + (gamma / t)[:, None] * along**2) / 2
    scores[images, ids] = np.log(sizes[ids]) - up**2 * own / t / 2
    scores[images[others == 0], ids[others == 0]] = -np.inf
    return scores
