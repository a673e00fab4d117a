"""Entropy of the eigenvalues of a graph on the images."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Shaped
from scipy.sparse.csgraph import connected_components

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.information._diffusion import (
    diffusion_kernel,
    kernel_variance,
    spectral_entropy,
)

_ROUNDING = 1e-12  # of the largest distance: distances this close are equal


def graph_spectrum(
    squared_distances: Float[np.ndarray, "n n"],
    embeddings: Shaped[np.ndarray, "n d"],
    largest_group: int,
    *,
    graph: str,
    k: int,
    bandwidth: str | float | int,
    features: str,
) -> Callable[[np.ndarray], np.ndarray]:
    """The function that gives the entropies, in bits, of a stack of matrices of distances.

    Args:
        squared_distances: Between all images, of the features that are meant.
        embeddings: Of all images; only their number of features counts.
        largest_group: Images in the largest graph that is to be made.
        graph: `"gaussian"`, `"anisotropic"` or `"knn"`.
        k: Neighbours in the graph `"knn"`, the image itself among them.
        bandwidth: σ of the other two graphs; see `kernel_variance`.
        features: How the features were scaled.

    Raises:
        InputError: an option is not one of the above.
        ScoreUndefinedError: the median distance is 0, or k images or fewer for `"knn"`.
    """
    if graph == "knn":
        if k < 2:
            raise InputError(
                f"k, the neighbours of an image with itself among them, must be ≥ 2, but is {k}."
            )
        if largest_group <= k:
            raise ScoreUndefinedError(
                f"Of {k} nearest neighbours, the image itself among them, all graphs of "
                f"{largest_group} images or fewer are complete. Take more images or a smaller k."
            )
        return lambda distances: _neighbour_entropy(distances, k)
    if graph not in ("gaussian", "anisotropic"):
        raise InputError(f"graph must be 'gaussian', 'anisotropic' or 'knn', but is {graph!r}.")
    variance = kernel_variance(squared_distances, embeddings.shape[1], bandwidth, features)
    if graph == "anisotropic":
        return lambda distances: _symmetric_entropy(diffusion_kernel(distances, variance))
    return lambda distances: _symmetric_entropy(np.exp(distances / (-2 * variance)))


def _symmetric_entropy(graphs: Float[np.ndarray, "b n n"]) -> Float[np.ndarray, " b"]:
    return spectral_entropy(np.abs(np.linalg.eigvalsh(graphs)))


def _neighbour_entropy(
    squared_distances: Float[np.ndarray, "b n n"], k: int
) -> Float[np.ndarray, " b"]:
    """Entropy of the directed graph of nearest neighbours; equal distances are all in."""
    n = squared_distances.shape[-1]
    if n <= k:
        return np.zeros(len(squared_distances))  # complete: one eigenvalue that is not 0
    reach = np.partition(squared_distances, k - 1, axis=-1)[..., k - 1 : k]
    slack = _ROUNDING * squared_distances.max(axis=(-2, -1), keepdims=True)
    graphs = (squared_distances <= reach + slack).astype(np.float64)
    return spectral_entropy(np.stack([_directed_spectrum(graph) for graph in graphs]))


def _directed_spectrum(graph: Float[np.ndarray, "n n"]) -> Float[np.ndarray, " n"]:
    """Absolute eigenvalues of a directed graph in which each node has a link to itself.

    An eigenvalue that is repeated without eigenvectors of its own comes out of a general solver
    with a root of the rounding error. Such are 1, of nodes that lie in no circle, and 0. So the
    eigenvalues are taken of each strongly connected part alone, and there without the zeros.
    """
    n_parts, part = connected_components(graph, connection="strong")
    sizes = np.bincount(part)
    moduli = np.zeros(len(graph))
    moduli[: np.sum(sizes == 1)] = 1
    filled = int(np.sum(sizes == 1))
    for i in range(n_parts):
        if sizes[i] > 1:
            nodes = np.flatnonzero(part == i)
            found = _nonzero_eigenvalues(graph[np.ix_(nodes, nodes)])
            moduli[filled : filled + len(found)] = np.abs(found)
            filled += len(found)
    return moduli


def _nonzero_eigenvalues(matrix: Float[np.ndarray, "n n"]) -> np.ndarray:
    """Eigenvalues of U(sVᵀ) that are not 0 are those of (sVᵀ)U, which has as many rows as rank."""
    while True:  # ends before nothing is left: the trace stays, and is above 0
        left, values, right = np.linalg.svd(matrix)
        keep = values > len(matrix) * np.finfo(np.float64).eps * values[0]
        if keep.all():
            return np.linalg.eigvals(matrix)
        matrix = (values[keep, None] * right[keep]) @ left[:, keep]
