"""Accuracy of the k nearest neighbours, each image left out in turn."""

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.distances import squared_distances
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._score import score
from zoo_eval.scores.transfer._most_likely import share_right

_ROUNDING = 1e-12  # of the largest distance: distances this close are equal


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0))
def knn_accuracy(
    embeddings: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    *,
    k: int = 20,
    metric: str = "cosine",
) -> float:
    """Leave-one-out accuracy of the k nearest neighbours.

    Each image is given the class that most of its neighbours have, where its neighbours are
    the other images that are no farther from it than the k-th nearest. Every neighbour has
    one vote; an image is never its own neighbour.

    Implementations differ on ties. Here all images as far as the k-th nearest vote, so more
    than k may; and when m classes get the most votes, one of them being right counts 1/m, the
    chance of guessing it. The result then depends on no order of images or classes. PARC's code
    (k = 1) takes the second nearest of all images for the neighbour, which among duplicates can be
    the image itself; transformer-ranker (k = 3) gives a tie of classes to the one numbered first.
    Without duplicates and ties both values are ours, with `metric="euclidean"`.

    Args:
        embeddings: One row per image.
        labels: Class of each image.
        k: Number of neighbours, from 1 to n − 1.
        metric: `"cosine"`, by the angle between embeddings, or `"euclidean"`.

    Returns:
        Fraction of images that are given their own class, from 0 to 1; about the share of the
        largest class if the embeddings say nothing. Unchanged by rotation and scale.

    Raises:
        InputError: k is below 1, or metric is neither of the two.
        ScoreUndefinedError: there is one class only, there are not more than k images, or an
            embedding is zero and has no angle.

    References:
        Wu et al., "Instance Discrimination", CVPR 2018, https://arxiv.org/abs/1805.01978
        arXiv 2503.18528 (k-NN as a transferability score), https://arxiv.org/abs/2503.18528

    >>> z = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    >>> knn_accuracy(z, np.array([0, 0, 1, 1]), k=1)
    1.0
    """
    if k < 1:
        raise InputError(f"k, the number of neighbours, must be ≥ 1, but is {k}.")
    n = len(embeddings)
    if n <= k:
        raise ScoreUndefinedError(
            f"{k} neighbours need at least {k + 1} images, but there are {n}."
        )
    ids, sizes = class_ids(labels, "k-NN accuracy")
    distances = squared_distances(_points(embeddings, metric))
    votes = _votes(_neighbours(distances, k), ids, len(sizes))
    return share_right(votes.astype(np.float64), ids, np.zeros(n))


def _points(embeddings: Shaped[np.ndarray, "n d"], metric: str) -> Float[np.ndarray, "n d"]:
    """Points whose Euclidean distances order the images as the metric does."""
    z = embeddings.astype(np.float64)
    if metric == "euclidean":
        return z
    if metric != "cosine":
        raise InputError(f"metric must be 'cosine' or 'euclidean', but is {metric!r}.")
    lengths = np.linalg.norm(z, axis=1, keepdims=True)
    n_zero = int(np.sum(lengths == 0))
    if n_zero:
        raise ScoreUndefinedError(
            f"The angle to a zero embedding is undefined, but {n_zero} of {len(z)} are zero. "
            "Take metric='euclidean', or check the weights."
        )
    return z / lengths


def _neighbours(distances: Float[np.ndarray, "n n"], k: int) -> Bool[np.ndarray, "n n"]:
    """Which images (columns) are among the k nearest of each (rows). Changes `distances`."""
    slack = _ROUNDING * distances.max()
    np.fill_diagonal(distances, np.inf)
    reach = np.partition(distances, k - 1, axis=1)[:, k - 1]
    return distances <= reach[:, None] + slack


def _votes(
    neighbours: Bool[np.ndarray, "n n"], ids: Int[np.ndarray, " n"], n_classes: int
) -> Int[np.ndarray, "n classes"]:
    """Number of neighbours of each class, of each image."""
    image, neighbour = np.nonzero(neighbours)
    pairs = image * n_classes + ids[neighbour]
    return np.bincount(pairs, minlength=len(ids) * n_classes).reshape(len(ids), n_classes)
