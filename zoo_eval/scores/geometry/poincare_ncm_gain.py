"""What hyperbolic geometry gains over Euclidean for the nearest class mean."""

import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.model_selection import StratifiedKFold

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._poincare import distances, exp0, midpoints

# Radii r that are tried: the norm √c ‖v‖ that the median image has. Below the first the ball is
# as good as flat; at the last the median image is at 0.9993 of the ball's radius.
_RADII = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_ROUNDING = 1e-12  # relative: means this equally far are equally near


@score(unit="fraction", higher_is_better=None, bounds=(-1.0, 1.0))
def poincare_ncm_gain(
    centred_svd: ThinSvd, labels: Int[np.ndarray, " n"], *, folds: int = 5, seed: int = 0
) -> float:
    """Accuracy of the nearest class mean in the Poincaré ball, less that in Euclidean space.

    Embeddings that are ordered like a tree, general ones in the middle and special ones outside,
    fit into hyperbolic space. The embeddings, less their mean, are scaled so that the median norm
    is r, and put into the ball of curvature −1 by exp₀(v) = tanh(‖v‖) v / ‖v‖; which is the same
    as any curvature −c with vectors 1/√c as long. A class is represented by the Poincaré midpoint
    of its training images, m / (1 + √(1 − ‖m‖²)) with m = Σ γᵢ xᵢ / (Σ γᵢ − n/2) and
    γ = 1 / (1 − ‖x‖²), and an image belongs to the nearest, by
    d(x, y) = arcosh(1 + 2 ‖x − y‖² / ((1 − ‖x‖²)(1 − ‖y‖²))). The Euclidean accuracy is that of
    the plain means of the same training images, on the same test images.

    The images are split into folds with equal shares of each class. Each fold in turn is
    predicted from the others. For r, of 1/8, 1/4, … 4, training on the rest and predicting the
    next fold decides; the smallest of the best is taken, so that where geometry does not matter
    the ball is nearly flat and the gain nearly 0. Where images are equally near to several
    means, a right one of m counts 1/m.

    This is our score, put together from the parts of the paper below, which trains whole networks
    in the ball and proposes no score for others.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        folds: Number of folds, at least 3.
        seed: Start of the random split.

    Returns:
        Difference of two accuracies, from −1 to 1, 0 if curvature does not matter. Unchanged by
        rotation, translation, scale and renaming classes; another order of the images makes
        other folds.

    Raises:
        InputError: folds is below 3.
        ScoreUndefinedError: there is one class only, a class has fewer images than there are
            folds, or half of the embeddings or more are equal to their mean.

    References:
        van Spengler et al., "Poincaré ResNet", ICCV 2023, https://arxiv.org/abs/2303.14027
        Khrulkov et al., "Hyperbolic Image Embeddings", CVPR 2020, https://arxiv.org/abs/1904.02239
        Ungar, "A Gyrovector Space Approach to Hyperbolic Geometry", 2009 (midpoint).

    >>> classes = np.arange(30) % 2
    >>> poincare_ncm_gain(embeddings=classes[:, None] * 2.0, labels=classes)  # both always right
    0.0
    """
    if folds < 3:
        raise InputError(f"folds must be ≥ 3, to train, choose and test, but is {folds}.")
    ids, sizes = class_ids(labels, "Nearest class means")
    if sizes.min() < folds:
        raise ScoreUndefinedError(
            f"{folds} folds need {folds} images of each class, but {int(np.sum(sizes < folds))} of "
            f"{len(sizes)} classes have fewer, the smallest {sizes.min()}. Lower folds."
        )
    z = centred_svd.left * centred_svd.singular_values  # the embeddings, rotated
    norms = np.linalg.norm(z, axis=1)
    median = np.median(norms)
    if median <= _ROUNDING * norms.max():
        raise ScoreUndefinedError(
            f"The median distance from the mean is the unit of length, but half of the {len(ids)} "
            "embeddings or more are at their mean."
        )
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed).split(z, ids)
    fold_of = np.empty(len(ids), dtype=np.int64)
    for fold, (_, test) in enumerate(splits):
        fold_of[test] = fold
    balls = [exp0(z * (radius / median)) for radius in _RADII]
    gain = 0.0
    for fold in range(folds):
        test, choice = fold_of == fold, fold_of == (fold + 1) % folds
        right = [n_right_in_ball(x, ids, ~test & ~choice, choice) for x in balls]
        best = balls[int(np.argmax(right))]
        gain += n_right_in_ball(best, ids, ~test, test) - n_right_flat(z, ids, ~test, test)
    return gain / len(ids)


def n_right_in_ball(
    points: Float[np.ndarray, "n k"],
    ids: Int[np.ndarray, " n"],
    train: Bool[np.ndarray, " n"],
    test: Bool[np.ndarray, " n"],
) -> float:
    """Number of test images that are nearest to their class's midpoint in the Poincaré ball."""
    means = midpoints(points[train], ids[train], int(ids.max()) + 1)
    return _n_right(distances(points[test], means), ids[test])


def n_right_flat(
    points: Float[np.ndarray, "n k"],
    ids: Int[np.ndarray, " n"],
    train: Bool[np.ndarray, " n"],
    test: Bool[np.ndarray, " n"],
) -> float:
    """Number of test images that are nearest to their class's mean."""
    n_classes = int(ids.max()) + 1
    sizes = np.bincount(ids[train], minlength=n_classes)
    means = class_sums(points[train], ids[train], n_classes) / sizes[:, None]
    squares = [np.einsum("ij,ij->i", x, x) for x in (points[test], means)]
    apart = np.add.outer(*squares) - 2 * points[test] @ means.T
    return _n_right(np.sqrt(np.maximum(apart, 0)), ids[test])


def _n_right(distances: Float[np.ndarray, "n classes"], ids: Int[np.ndarray, " n"]) -> float:
    """Number of images whose own class is nearest, shared out where several are."""
    slack = _ROUNDING * distances.max()
    winners = distances <= distances.min(axis=1, keepdims=True) + slack
    return float(np.sum(winners[np.arange(len(ids)), ids] / winners.sum(axis=1)))
