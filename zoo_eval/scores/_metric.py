"""Distances by the option `metric`, from the Euclidean ones that scores share."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int, Shaped

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.distances import squared_distances as distances_of

# From some images, a slice or their numbers, to all; what it returns may be changed.
DistancesFrom = Callable[[slice | Int[np.ndarray, " rows"]], Float[np.ndarray, "rows n"]]

# Squared distances are rounded by 1e-15 of the largest. In units of the lengths this may be so
# many times as much of the largest there; what differs by 1e-12 of that is equal for the scores.
_MORE_ROUNDING = 25.0


def squared_by_metric(
    embeddings: Shaped[np.ndarray, "n d"],
    squared_distances: Shaped[np.ndarray, "n n"],
    metric: str,
) -> DistancesFrom:
    """Squared distances of embeddings, or of what lies in their direction at length 1.

    With u = x / ‖x‖ and v = y / ‖y‖, those are

        2 − 2 cos = ‖u − v‖² = (‖x − y‖² − (‖x‖ − ‖y‖)²) / ‖x‖‖y‖,

    which takes O(n²) in place of another Gram matrix. If the lengths differ so much that the
    rounding of ‖x − y‖² would count, the distances are computed from all u instead.

    Args:
        embeddings: One row per image.
        squared_distances: Squared Euclidean distances between them.
        metric: `"euclidean"`, or `"cosine"` for embeddings of length 1.

    Raises:
        InputError: metric is neither of the two.
        ScoreUndefinedError: the metric is cosine, and an embedding is zero.
    """
    if metric == "euclidean":
        return lambda images: squared_distances[images].astype(np.float64)
    if metric != "cosine":
        raise InputError(f"metric must be 'cosine' or 'euclidean', but is {metric!r}.")
    lengths = np.sqrt(np.einsum("ij,ij->i", embeddings, embeddings, dtype=np.float64))
    n_zero = int(np.sum(lengths == 0))
    if n_zero:
        raise ScoreUndefinedError(
            f"The angle to a zero embedding is undefined, but {n_zero} of {len(lengths)} are zero. "
            "Take metric='euclidean', or check the weights."
        )
    inverse = 1 / lengths

    def from_euclidean(images: slice | Int[np.ndarray, " rows"]) -> Float[np.ndarray, "rows n"]:
        squared = np.subtract.outer(lengths[images], lengths)
        np.square(squared, out=squared)
        np.subtract(squared_distances[images], squared, out=squared)
        squared *= inverse[images, None]
        squared *= inverse
        return np.maximum(squared, 0, out=squared)

    # No two images are more than twice as far from each other as one of them from the first.
    first = slice(0, 1)
    largest = float(squared_distances[first].max() / lengths.min() ** 2)
    if largest <= _MORE_ROUNDING * from_euclidean(first).max():
        return from_euclidean
    matrix = distances_of(embeddings / lengths[:, None])
    return lambda images: matrix[images].copy()
