"""Clusters of the input images by their pixels, for scores that ask what Z knows of X."""

import warnings

import numpy as np
from jaxtyping import Int, Shaped
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import SpectralClustering
from sklearn.neighbors import kneighbors_graph

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities._quantity import quantity

_N_NEIGHBORS = 10  # scikit-learn's default, which the original DSMI code leaves as it is


@quantity
def image_clusters(
    pixels: Shaped[np.ndarray, "n pixels"], *, n_clusters: int = 10
) -> Int[np.ndarray, " n"]:
    """Cluster id of each image, by spectral clustering of the raw pixels.

    The setting is that of the original DSMI code: the symmetrised graph of the 10 nearest
    neighbours, the image itself among them, 10 clusters assigned by the pivoted QR method. Of
    fewer than 20 images, n // 2 neighbours and at most n // 2 clusters are taken.

    Args:
        pixels: One row per image, all at one size.
        n_clusters: Clusters to look for; some may come out empty.

    Raises:
        ScoreUndefinedError: there are fewer than 4 images, or the neighbour graph falls into
            more parts than clusters are looked for, so that which parts are joined is chance.
    """
    n = len(pixels)
    if n < 4:
        raise ScoreUndefinedError(f"Two clusters of two images need 4 images, but there are {n}.")
    n_clusters = min(n_clusters, n // 2)
    neighbours = kneighbors_graph(
        pixels.astype(np.float64), min(_N_NEIGHBORS, n // 2), include_self=True
    )
    graph = (neighbours + neighbours.T) / 2
    n_parts = int(connected_components(graph, directed=False, return_labels=False))
    if n_parts > n_clusters:
        raise ScoreUndefinedError(
            f"The neighbour graph of the {n} images falls into {n_parts} parts without links "
            f"between them, more than the {n_clusters} clusters to be found. Take more images."
        )
    clustering = SpectralClustering(
        n_clusters, affinity="precomputed", assign_labels="cluster_qr", random_state=0
    )
    with warnings.catch_warnings():
        # The warning is about embedding. Clustering is exact when the parts are at most as many
        # as the clusters, which is checked above: then no cluster crosses two parts.
        warnings.filterwarnings("ignore", message="Graph is not fully connected")
        found = clustering.fit_predict(graph)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)
