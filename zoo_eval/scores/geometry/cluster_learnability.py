"""Cluster learnability: can neighbours predict the clusters that the embeddings form?"""

import math
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.cluster import KMeans

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.distances import squared_distances
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score

_STARTS = 5  # k-means runs, of which the best counts: one alone depends much on its start
_ROUNDING = 1e-12  # of the largest distance: distances this close are equal


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0))
def cluster_learnability(
    uncentred_svd: ThinSvd,
    *,
    n_clusters: str | int = "sqrt",
    k: int = 1,
    metric: str = "cosine",
    seed: int = 0,
) -> float:
    """Accuracy with which the k nearest neighbours of an image predict its k-means cluster.

    The embeddings are clustered by k-means, without looking at any label. Then each image in
    turn is held out, and given the cluster that most of its k nearest neighbours among the
    others have. Compact, separate clusters are learned from few images. It is the CL of CLID;
    see `clid` for the sum with the intrinsic dimension.

    Others take single random halves for learning and testing; we leave out each image in turn,
    which needs no draw. All images as far as the k-th nearest vote; when m clusters get the most
    votes, one of them being right counts 1/m. k-means is started five times from `seed`, and the
    run with the least spread counts. There is no official code; √n clusters, one neighbour and
    the angle for a distance are, as far as we know, the setting of the paper.

    Args:
        uncentred_svd: Thin SVD of the embeddings as they are.
        n_clusters: Number of clusters, at least 2, or `"sqrt"` for √n, rounded down.
        k: Number of neighbours, from 1 to n − 1.
        metric: `"cosine"`, where all embeddings are scaled to length 1, or `"euclidean"`.
        seed: Start of k-means.

    Returns:
        Fraction of images whose cluster is predicted, from 0 to 1; compact clusters of two images
        or more give 1. Unchanged by rotation and scale, and in `"euclidean"` by translation;
        another order of the images gives k-means another start.

    Raises:
        InputError: an option is not one of the above.
        ScoreUndefinedError: there are fewer than 4 images for `"sqrt"`, fewer distinct images than
            clusters, or not more than k images; or an embedding is zero and has no angle.

    References:
        Lu et al., "Using Representation Expressiveness and Learnability to Evaluate
        Self-Supervised Learning Methods", TMLR 2023, https://arxiv.org/abs/2206.01251

    >>> z = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    >>> cluster_learnability(embeddings=z)
    1.0
    """
    n = len(uncentred_svd.left)
    if k < 1:
        raise InputError(f"k, the number of neighbours, must be ≥ 1, but is {k}.")
    if n <= k:
        raise ScoreUndefinedError(
            f"{k} neighbours need at least {k + 1} images, but there are {n}."
        )
    count = _number_of_clusters(n_clusters, n)
    points = _points(uncentred_svd, metric)
    n_distinct = len(np.unique(points, axis=0))
    if n_distinct < count:
        raise ScoreUndefinedError(
            f"{count} clusters need as many distinct embeddings, but of {n} there are {n_distinct}."
        )
    starts: Any = _STARTS  # scikit-learn has no types: pyright takes the default's, a string
    clusters = KMeans(count, n_init=starts, random_state=seed).fit_predict(points)
    distances = squared_distances(points)
    slack = _ROUNDING * distances.max()
    np.fill_diagonal(distances, np.inf)
    reach = np.partition(distances, k - 1, axis=1)[:, k - 1]
    votes = (distances <= reach[:, None] + slack) @ np.eye(count)[clusters]
    winners = votes == votes.max(axis=1, keepdims=True)
    return float(np.mean(winners[np.arange(n), clusters] / winners.sum(axis=1)))


def _number_of_clusters(n_clusters: str | int, n: int) -> int:
    if n_clusters == "sqrt":
        if n < 4:
            raise ScoreUndefinedError(f"√n is two clusters from 4 images on, but there are {n}.")
        return math.isqrt(n)
    if isinstance(n_clusters, (str, bool)) or n_clusters < 2:
        raise InputError(f"n_clusters must be 'sqrt' or ≥ 2, but is {n_clusters!r}.")
    return n_clusters


def _points(svd: ThinSvd, metric: str) -> Float[np.ndarray, "n k"]:
    """The embeddings, rotated and scaled; to length 1 for `"cosine"`."""
    if metric not in ("cosine", "euclidean"):
        raise InputError(f"metric must be 'cosine' or 'euclidean', but is {metric!r}.")
    z = svd.left * (svd.singular_values / svd.singular_values.max(initial=0))
    lengths = np.linalg.norm(z, axis=1, keepdims=True)
    if metric == "cosine":
        # A zero embedding is left with rounding of the SVD.
        n_zero = int(np.sum(lengths <= _ROUNDING * lengths.max()))
        if n_zero:
            raise ScoreUndefinedError(
                f"The angle to a zero embedding is undefined, but {n_zero} of {len(z)} are zero. "
                "Take metric='euclidean', or check the weights."
            )
        z = z / lengths
    return np.round(z, 12)  # so that duplicates are equal after the SVD too
