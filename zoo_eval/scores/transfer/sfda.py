"""SFDA, self-challenging Fisher discriminant analysis."""

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import eigvalsh, solve_triangular
from scipy.special import softmax

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score

_DECAY = 5.0  # a of the paper, in the code
_LEAST_SHRINKAGE = 1e-10


@score(unit="probability", higher_is_better=True, bounds=(0.0, 1.0))
def sfda(centred_svd: ThinSvd, labels: Int[np.ndarray, " n"], *, n_components: int = 0) -> float:
    """Mean probability of the own class under a discriminant fitted to hardened embeddings.

    A regularised Fisher discriminant gives p(c | x) = softmax_c(xᵀ S⁻¹ μ_c − ½ μ_cᵀ S⁻¹ μ_c
    + ln π_c), with μ_c and π_c mean and share of class c, S = (1 − s) S_W + s tr(S_W) / d · I,
    S_W the covariance within classes (divided by n) and s = exp(−5 λ), λ the largest
    eigenvalue of S_W; s is at least 10⁻¹⁰. With qᵢ the entry of softmax(p(· | xᵢ)) at the own
    class yᵢ, embeddings are moved towards the other classes, xᵢ ← qᵢ xᵢ + (1 − qᵢ) mᵢ, where
    mᵢ is the mean of the means of all classes but yᵢ. The discriminant is fitted again, with the
    same s; SFDA is the mean of its p(yᵢ | xᵢ).

    Implementations differ. The official code solves a generalised eigenproblem whose result
    cancels: S⁻¹ is all that is needed, and the score is the same. It estimates λ by six power
    steps from the row sums of S_W, which depends on the axes and is no number where the rows
    sum to 0; here λ is exact. It also overwrites the embeddings that it is given.

    The discriminant is judged on the images that it was fitted to. With n ≤ d, or not
    much more, it separates any classes and the score is 1 for every network; n_components=32
    avoids this. λ has the unit of the squared embeddings, so the score depends on their scale.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        n_components: Principal components that are kept; 0 keeps all, as the paper does.

    Returns:
        From 0 to 1 (classes are linearly separable with room to spare). Unchanged by
        rotation, translation, reordering images and renaming classes, but not by scale.

    Raises:
        InputError: n_components is negative.
        ScoreUndefinedError: there is one class only, all embeddings are equal, or the images of
            each class have all the same embedding, so that S is zero.

    References:
        Shao et al., "Not All Models Are Equal: Predicting Model Transferability in a
        Self-Challenging Fisher Space", ECCV 2022, https://arxiv.org/abs/2207.03036

    >>> z = np.array([[1.0], [1.5], [-1.0], [-1.5]])
    >>> round(sfda(embeddings=z, labels=np.array([0, 0, 1, 1])), 4)
    1.0
    """
    if n_components < 0:
        raise InputError(f"n_components must be ≥ 0 (0: all are kept), but is {n_components}.")
    ids, sizes = class_ids(labels, "SFDA")
    if len(centred_svd.singular_values) == 0:
        raise ScoreUndefinedError(f"SFDA needs embeddings that vary, but all {len(ids)} are equal.")
    kept = n_components or centred_svd.n_features
    points = centred_svd.left[:, :kept] * centred_svd.singular_values[:kept]
    n_features = min(kept, centred_svd.n_features)
    means = class_sums(points, ids, len(sizes)) / sizes[:, None]
    eigenvalue = _largest_eigenvalue(points - means[ids])
    shrinkage = max(float(np.exp(-_DECAY * eigenvalue)), _LEAST_SHRINKAGE)
    own = np.arange(len(ids)), ids
    probabilities = _discriminant(points, ids, sizes, n_features, shrinkage)
    confidence = softmax(probabilities, axis=1)[own][:, None]
    others = (means.sum(axis=0) - means) / (len(sizes) - 1)
    mixed = confidence * points + (1 - confidence) * others[ids]
    return float(_discriminant(mixed, ids, sizes, n_features, shrinkage)[own].mean())


def _discriminant(
    points: Float[np.ndarray, "n k"],
    ids: Int[np.ndarray, " n"],
    sizes: Int[np.ndarray, " classes"],
    n_features: int,
    shrinkage: float,
) -> Float[np.ndarray, "n classes"]:
    """Probability of each class for each point, from the discriminant fitted to all points.

    Points may be coordinates in any orthonormal basis; n_features is d in tr(S_W) / d.

    S = RᵀR is factorised by the QR decomposition of the residuals with the shrinkage's rows
    below, never formed: a shrinkage of 10⁻¹⁰ would be lost in its rounding.
    """
    n, k = points.shape
    means = class_sums(points, ids, len(sizes)) / sizes[:, None]
    residuals = points - means[ids]
    trace = float(np.sum(residuals**2)) / n
    if trace <= n * np.finfo(np.float64).eps ** 2 * float(np.sum(points**2)):
        raise ScoreUndefinedError(
            f"SFDA has no value: the images of each of the {len(sizes)} classes have all the same "
            f"embedding ({n} images), so the covariance within classes is zero."
        )
    floor = np.sqrt(shrinkage * trace / n_features) * np.eye(k)
    stacked = np.vstack([np.sqrt((1 - shrinkage) / n) * residuals, floor])
    factor = np.asarray(np.linalg.qr(stacked, mode="r"))
    white_means = solve_triangular(factor.T, means.T, lower=True).T
    white_points = solve_triangular(factor.T, points.T, lower=True).T
    logits = white_points @ white_means.T - np.sum(white_means**2, axis=1) / 2
    return softmax(logits + np.log(sizes / n), axis=1)


def _largest_eigenvalue(residuals: Float[np.ndarray, "n k"]) -> float:
    """Largest eigenvalue of RᵀR / n, by R Rᵀ where that is smaller."""
    n, k = residuals.shape
    gram = residuals @ residuals.T if n < k else residuals.T @ residuals
    last = len(gram) - 1
    return float(eigvalsh(gram, subset_by_index=[last, last])[0]) / n
