"""Distances between embeddings, shared by every score that compares images in pairs."""

import numpy as np
from jaxtyping import Shaped

from zoo_eval.quantities._quantity import quantity


@quantity
def squared_distances(embeddings: Shaped[np.ndarray, "n d"]) -> np.ndarray:
    """Squared Euclidean distances ‖zᵢ − zⱼ‖², shape (n, n), float64, exactly symmetric.

    From the Gram matrix: ‖zᵢ‖² + ‖zⱼ‖² − 2 zᵢ·zⱼ. The mean is taken off first, which changes
    no distance and keeps the digits that the subtraction would otherwise cancel.
    """
    z = embeddings.astype(np.float64)
    z -= z.mean(axis=0)
    squares = np.einsum("ij,ij->i", z, z)
    distances = np.add.outer(squares, squares)  # one rounding, so symmetric to the last bit
    distances -= 2 * (z @ z.T)  # BLAS computes this as a symmetric product
    np.maximum(distances, 0, out=distances)
    np.fill_diagonal(distances, 0)
    return distances
