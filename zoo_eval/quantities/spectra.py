"""Singular value decompositions of the embeddings."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped

from zoo_eval.quantities._quantity import quantity


class ThinSvd(NamedTuple):
    """Z = U diag(s) Vᵀ without the null space: k = numerical rank columns."""

    left: np.ndarray  # U, (n, k)
    singular_values: np.ndarray  # s, (k,), descending, > 0
    n_features: int


@quantity
def uncentred_svd(embeddings: Shaped[np.ndarray, "n d"]) -> ThinSvd:
    """Thin SVD of the embeddings as they are, in float64."""
    return thin_svd(embeddings.astype(np.float64))


@quantity
def centred_svd(embeddings: Shaped[np.ndarray, "n d"]) -> ThinSvd:
    """Thin SVD of the embeddings less their mean, in float64."""
    z = embeddings.astype(np.float64)
    mean = z.mean(axis=0)
    # Taking off the mean leaves rounding of its size behind, which is no direction of its own.
    return thin_svd(z - mean, scale=float(np.sqrt(len(z)) * np.linalg.norm(mean)))


def thin_svd(matrix: np.ndarray, scale: float = 0.0) -> ThinSvd:
    """SVD cut at the numerical rank: σ > max(n, d) ε σ₁ (the rule of numpy's matrix_rank).

    Args:
        matrix: n × d, float64.
        scale: Largest singular value that the matrix had before something was subtracted; the
            cut is relative to it if it is above σ₁.
    """
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    cut = max(values[0], scale) * max(matrix.shape) * np.finfo(np.float64).eps
    keep = values > cut
    return ThinSvd(left[:, keep], values[keep], matrix.shape[1])
