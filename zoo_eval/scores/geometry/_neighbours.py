"""Distances from each image to its nearest neighbours, duplicates counted once."""

import numpy as np
from jaxtyping import Float, Shaped
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.threads import in_threads, row_blocks

# Squared distances up to this share of the largest are 0, as the Gram matrix leaves rounding of
# about 1e-15 of the largest. In distances, a millionth.
SAME_IMAGE = 1e-12
# Mean ln of ratios of distances below which the distances are equal, as for points of a grid.
EQUAL_LOG_RATIO = 1e-6


def nearest(
    squared_distances: Float[np.ndarray, "n n"], k: int, score_name: str
) -> Float[np.ndarray, "points k"]:
    """Squared distances to the k nearest others, ascending; one row per distinct image.

    Images at distance 0 are one point, which counts once, as a point and as a neighbour.

    Raises:
        ScoreUndefinedError: there are not more than k distinct images.
    """
    n, distances = len(squared_distances), squared_distances
    blocks = row_blocks(*distances.shape)
    same = SAME_IMAGE * max(in_threads(lambda rows: float(distances[rows].max()), blocks))
    if n > k:
        found = _k_nearest(distances, k)
        if found.min() > same:  # no image has a copy
            return found
    distances = _one_of_each(distances, same)
    if len(distances) <= k:
        raise ScoreUndefinedError(
            f"{score_name} needs the {k} nearest neighbours of distinct images, so at least "
            f"{k + 1} of them, but there are {len(distances)} among {n}. Take more images."
        )
    return _k_nearest(distances, k)


def _k_nearest(distances: Float[np.ndarray, "n n"], k: int) -> Float[np.ndarray, "n k"]:
    """The k smallest of each row, ascending, the diagonal left out."""

    def of_rows(rows: slice) -> Float[np.ndarray, "rows k"]:
        others = distances[rows].astype(np.float64)
        np.fill_diagonal(others[:, rows], np.inf)
        others.partition(k - 1, axis=1)
        return np.sort(others[:, :k], axis=1)

    return np.concatenate(in_threads(of_rows, row_blocks(*distances.shape)))


def _one_of_each(
    distances: Float[np.ndarray, "n n"], same: float
) -> Shaped[np.ndarray, "points points"]:
    """Rows and columns of the first image of each group of duplicates."""
    _, point = connected_components(csr_array(distances <= same), directed=False)
    first = np.unique(point, return_index=True)[1]
    return distances[np.ix_(first, first)]
