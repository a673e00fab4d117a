"""Diffusion spectral entropy (DSE)."""

import numpy as np
from jaxtyping import Float, Shaped

from zoo_eval.scores._score import score
from zoo_eval.scores.information._diffusion import diffusion_entropy, kernel_variance
from zoo_eval.scores.information._features import feature_distances


@score(unit="bits", higher_is_better=None, bounds=(0.0, np.inf))
def dse(
    squared_distances: Float[np.ndarray, "n n"],
    embeddings: Shaped[np.ndarray, "n d"],
    *,
    bandwidth: str | float | int = "sqrt_dim",
    t: float | int = 1,
    features: str = "raw",
    entropy: str = "spectral",
) -> float:
    """Diffusion spectral entropy: in how many directions a random walk on the images spreads.

    Let Gᵢⱼ = exp(−‖zᵢ − zⱼ‖² / 2σ²), Δ the diagonal matrix of the row sums of G, λ the
    eigenvalues of K = Δ^−½ G Δ^−½ and pᵢ = |λᵢ|ᵗ / Σⱼ |λⱼ|ᵗ. Then DSE = −Σᵢ pᵢ log₂ pᵢ.

    Implementations differ in σ. The original code defaults to σ = 10, and σ = √d in the study
    of ImageNet models, which is the default here. Neither follows the scale of the embeddings:
    small embeddings give almost 0, large ones almost log₂ n. `bandwidth="median"` does follow,
    and so does `features`: with `"zscore"` the mean squared distance is twice the number of
    features that vary, which σ = √d fits; with `"l2"` no distance is above 2, where σ = √d would
    give almost 0 for every model and is refused.
    All images are used; the original takes a random 10,000 of more. It also adds 2·10⁻¹⁶ to
    each pᵢ, which we do not. DSE grows with n, so compare models on the same images.

    `entropy="matrix_entry"` is another number: the entropy of the n² entries of P / n, where
    P is K with each row scaled to sum 1. It runs the other way, from 2 log₂ n (all embeddings
    equal) down to log₂ n (all far apart). P walks on a kernel that is already normalised, so it
    has not the eigenvalues of K, whatever the original code's comment says. The original takes
    any t there and ignores it; we refuse all but 1.

    Args:
        squared_distances: ‖zᵢ − zⱼ‖², one row and one column per image.
        embeddings: Z; one row per image, one column per feature.
        bandwidth: σ: `"sqrt_dim"` for √d, `"median"` for the square root of half the median
            squared distance of two different images, or a positive number.
        t: Number of diffusion steps; more let small eigenvalues fade.
        features: `"raw"` for the embeddings as they are; `"zscore"` for each feature with mean
            0 and variance 1 over the images, constant ones zero; `"l2"` for each embedding
            scaled to length 1.
        entropy: `"spectral"` for that of the eigenvalues, `"matrix_entry"` for that of P.

    Returns:
        Bits, from 0 (all embeddings equal) to log₂ n (all far apart, measured in σ); k tight
        clusters far from each other give log₂ k, whatever their sizes. Unchanged by reordering
        images; by rotation, except with `features="zscore"`; by translation, except with
        `"l2"`; by scale only with `bandwidth="median"`, `"zscore"` or `"l2"`.

    Raises:
        InputError: an option is not one of the above, `features="l2"` comes with
            `bandwidth="sqrt_dim"`, or `entropy="matrix_entry"` with another t than 1.
        ScoreUndefinedError: `bandwidth="median"` and the median distance is 0, or
            `features="l2"` and an embedding is zero.

    References:
        Liao et al., "Diffusion Spectral Entropy" (2023), DSE, https://arxiv.org/abs/2312.04823

    >>> far_apart = 100 * np.eye(8)
    >>> round(dse(embeddings=far_apart), 6)
    3.0
    """
    distances = feature_distances(squared_distances, embeddings, features)
    variance = kernel_variance(distances, embeddings.shape[1], bandwidth, features)
    return float(diffusion_entropy(distances[None], variance, t, entropy)[0])
