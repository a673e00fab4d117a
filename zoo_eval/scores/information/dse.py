"""Diffusion spectral entropy (DSE)."""

import numpy as np
from jaxtyping import Float

from zoo_eval.scores._score import score
from zoo_eval.scores.information._diffusion import diffusion_entropy, kernel_variance


@score(unit="bits", higher_is_better=None, bounds=(0.0, np.inf))
def dse(
    squared_distances: Float[np.ndarray, "n n"],
    dimension: int,
    *,
    bandwidth: str | float | int = "sqrt_dim",
    t: float | int = 1,
) -> float:
    """Diffusion spectral entropy: in how many directions a random walk on the images spreads.

    Let Gᵢⱼ = exp(−‖zᵢ − zⱼ‖² / 2σ²), Δ the diagonal matrix of the row sums of G, λ the
    eigenvalues of K = Δ^−½ G Δ^−½ and pᵢ = |λᵢ|ᵗ / Σⱼ |λⱼ|ᵗ. Then DSE = −Σᵢ pᵢ log₂ pᵢ.

    Implementations differ in σ. The original code defaults to σ = 10, and σ = √d in the study
    of ImageNet models, which is the default here. Neither follows the scale of the embeddings:
    small embeddings give almost 0, large ones almost log₂ n. `bandwidth="median"` does follow.
    All images are used; the original takes a random 10,000 of more. It also adds 2·10⁻¹⁶ to
    each pᵢ, which we do not. DSE grows with n, so compare models on the same images.

    Args:
        squared_distances: ‖zᵢ − zⱼ‖², one row and one column per image.
        dimension: d, the number of features of an embedding.
        bandwidth: σ: `"sqrt_dim"` for √d, `"median"` for the square root of half the median
            squared distance of two different images, or a positive number.
        t: Number of diffusion steps; more let small eigenvalues fade.

    Returns:
        Bits, from 0 (all embeddings equal) to log₂ n (all far apart, measured in σ); k tight
        clusters far from each other give log₂ k, whatever their sizes. Unchanged by rotation,
        translation and reordering; by scale only with `bandwidth="median"`.

    Raises:
        InputError: bandwidth or t is not one of the above.
        ScoreUndefinedError: `bandwidth="median"` and the median distance is 0.

    References:
        Liao et al., "Diffusion Spectral Entropy" (2023), DSE, https://arxiv.org/abs/2312.04823

    >>> far_apart = 1e4 * (1 - np.eye(8))
    >>> round(dse(far_apart, 3), 6)
    3.0
    """
    variance = kernel_variance(squared_distances, dimension, bandwidth)
    return float(diffusion_entropy(squared_distances[None], variance, t)[0])
