"""Distances from each image to its nearest neighbours, duplicates counted once."""

import numpy as np
from jaxtyping import Float, Shaped
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from zoo_eval.errors import ScoreUndefinedError

# Squared distances below this share of the largest are 0, as the Gram matrix leaves rounding of
# about 1e-15 of the largest. In distances, a millionth.
_ROUNDING = 1e-12
# Mean ln of ratios of distances below which the distances are equal, as for points of a grid.
EQUAL_LOG_RATIO = 1e-6


def without_rounding(squared_distances: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """A copy in which images that differ by rounding only are at distance 0."""
    distances = squared_distances.astype(np.float64)
    distances[distances <= _ROUNDING * distances.max()] = 0
    return distances


def nearest(
    squared_distances: Float[np.ndarray, "n n"], k: int, score_name: str
) -> Float[np.ndarray, "points k"]:
    """Squared distances to the k nearest others, ascending; one row per distinct image.

    Images at distance 0 are one point, which counts once, as a point and as a neighbour.

    Raises:
        ScoreUndefinedError: there are not more than k distinct images.
    """
    n = len(squared_distances)
    distances = _one_of_each(without_rounding(squared_distances))
    if len(distances) <= k:
        raise ScoreUndefinedError(
            f"{score_name} needs the {k} nearest neighbours of distinct images, so at least "
            f"{k + 1} of them, but there are {len(distances)} among {n}. Take more images."
        )
    np.fill_diagonal(distances, np.inf)
    return np.sort(np.partition(distances, k - 1, axis=1)[:, :k], axis=1)


def _one_of_each(distances: Float[np.ndarray, "n n"]) -> Shaped[np.ndarray, "points points"]:
    """Rows and columns of the first image of each group of duplicates."""
    n_points, point = connected_components(csr_array(distances == 0), directed=False)
    if n_points == len(distances):
        return distances
    first = np.unique(point, return_index=True)[1]
    return distances[np.ix_(first, first)]
