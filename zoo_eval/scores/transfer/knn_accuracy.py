"""Accuracy of the k nearest neighbours, each image left out in turn."""

import numpy as np
from jaxtyping import Float, Int

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._metric import DistancesFrom, squared_by_metric
from zoo_eval.scores._score import score
from zoo_eval.scores.transfer._most_likely import share_right
from zoo_eval.threads import in_threads, row_blocks

# Squared distances this close, in units of the largest from the first image, are equal. None is
# more than four times that one, and rounding is about 1e-15 of it.
_ROUNDING = 1e-12


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0))
def knn_accuracy(
    embeddings: Float[np.ndarray, "n d"],
    squared_distances: Float[np.ndarray, "n n"],
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
        squared_distances: Squared Euclidean distances between them.
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
    >>> knn_accuracy(embeddings=z, labels=np.array([0, 0, 1, 1]), k=1)
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
    distances_from = squared_by_metric(embeddings, squared_distances, metric)
    votes = _votes(distances_from, ids, len(sizes), k)
    return share_right(votes.astype(np.float64), ids, np.zeros(n))


def _votes(
    distances_from: DistancesFrom, ids: Int[np.ndarray, " n"], n_classes: int, k: int
) -> Int[np.ndarray, "n classes"]:
    """How many of each class are among the k nearest others of each image."""
    n = len(ids)
    slack = _ROUNDING * distances_from(slice(0, 1)).max()

    def of_rows(rows: slice) -> Int[np.ndarray, "rows classes"]:
        others = distances_from(rows)
        np.fill_diagonal(others[:, rows], np.inf)
        reach = np.partition(others, k - 1, axis=1)[:, k - 1]
        image, neighbour = np.nonzero(others <= reach[:, None] + slack)
        pairs = image * n_classes + ids[neighbour]
        return np.bincount(pairs, minlength=len(others) * n_classes).reshape(-1, n_classes)

    return np.concatenate(in_threads(of_rows, row_blocks(n, n)))
