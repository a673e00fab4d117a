"""Silhouette of the classes."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._metric import squared_by_metric
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._neighbours import SAME_IMAGE
from zoo_eval.threads import in_threads, row_blocks


@score(unit="dimensionless", higher_is_better=True, bounds=(-1.0, 1.0))
def silhouette(
    embeddings: Shaped[np.ndarray, "n d"],
    squared_distances: Float[np.ndarray, "n n"],
    labels: Int[np.ndarray, " n"],
    *,
    metric: str = "euclidean",
) -> float:
    """How much nearer images are to their own class than to the nearest other, mean of all.

    Let aᵢ be the mean distance of image i to the other images of its class, and bᵢ the smallest
    mean distance to the images of another class. Its silhouette is (bᵢ − aᵢ) / max(aᵢ, bᵢ), and
    0 if it is alone in its class or aᵢ = bᵢ = 0. The score is the mean over the images.

    Distances are not squared; cosine distance is 1 − cos. Images nearer than a millionth of the
    largest distance are at distance 0 here. Implementations agree otherwise. In many dimensions
    all distances are alike and the value is near 0 even where classes can be told apart.

    Args:
        embeddings: One row per image.
        squared_distances: Squared Euclidean distances between them.
        labels: Class of each image.
        metric: `"euclidean"` or `"cosine"`.

    Returns:
        From −1 (every image is nearest to another class) over 0 (classes lie on each other) to 1
        (each class is a point). Unchanged by rotation, scale, reordering images and renaming
        classes; by translation if Euclidean.

    Raises:
        InputError: metric is neither of the two.
        ScoreUndefinedError: there is one class only, no class has two images, all distances are
            0, or the metric is cosine and an embedding is zero.

    References:
        Rousseeuw, "Silhouettes: a graphical aid to the interpretation and validation of cluster
        analysis", Journal of Computational and Applied Mathematics 1987,
        https://doi.org/10.1016/0377-0427(87)90125-7
        scikit-learn, sklearn.metrics.silhouette_score.

    >>> z = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> round(silhouette(embeddings=z, labels=np.array([0, 0, 1, 1])), 6)  # 1 − (1/10.5 + 1/9.5)/2
    0.899749
    """
    ids, sizes = class_ids(labels, "The silhouette")
    n = len(ids)
    if len(sizes) == n:
        raise ScoreUndefinedError(
            f"The silhouette needs the distances within classes, but each of the {n} images is the "
            "only one of its class. Take more images."
        )
    squared_from = squared_by_metric(embeddings, squared_distances, metric)
    largest = max(in_threads(lambda rows: float(squared_from(rows).max()), row_blocks(n, n)))
    if largest == 0:
        raise ScoreUndefinedError(
            f"The silhouette needs embeddings at a distance, but the {metric} distances between "
            f"all {n} are 0. Are the weights damaged?"
        )

    def sum_to(members: np.ndarray) -> np.ndarray:
        """Sum of the distances from the images of a class to each."""
        total = np.zeros(n)
        for few in row_blocks(len(members), n):
            block = squared_from(members[few])
            block[block <= SAME_IMAGE * largest] = 0
            # ‖u − v‖² / 2 = 1 − cos.
            distances = np.sqrt(block, out=block) if metric == "euclidean" else block / 2
            total += distances.sum(axis=0)
        return total

    members = np.split(np.argsort(ids, kind="stable"), np.cumsum(sizes)[:-1])
    sums = np.stack(in_threads(sum_to, members), axis=1)  # (n, C)
    image = np.arange(n)
    own = sums[image, ids] / np.maximum(sizes[ids] - 1, 1)
    others = sums / sizes
    others[image, ids] = np.inf
    nearest = others.min(axis=1)
    larger = np.maximum(own, nearest)
    counts = (sizes[ids] > 1) & (larger > 0)
    return float(np.sum((nearest - own)[counts] / larger[counts]) / n)
