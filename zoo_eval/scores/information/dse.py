"""Diffusion spectral entropy (DSE)."""

import numpy as np

from zoo_eval.quantities.distances import ImageDistances
from zoo_eval.scores._score import score
from zoo_eval.scores.information._diffusion import (
    check_entropy,
    diffusion_entropy,
    of_features,
    variance_of,
)
from zoo_eval.scores.information._kernel_strips import KernelStrips
from zoo_eval.scores.information._spectral_entropy import entropy_estimate

# The estimate is the faster way from some 1,200 images on: 0.2 s of one core where all eigenvalues
# take 0.2 s at n = 1,000; 1.0 and 3 s at 3,000; 1.8 and 7 s at 4,096; 2.4 and 20 s at 6,000. Up to
# here the exact number is worth its seconds: it has no interval, and the matrix that it needs is
# made for the scores beside it anyway (`MATRIX_UP_TO`).
_EXACT_UP_TO = 4096


@score(unit="bits", higher_is_better=None, bounds=(0.0, np.inf))
def dse(
    image_distances: ImageDistances,
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

    Of up to 4,096 images all eigenvalues are taken, in O(n³) time and 24n² bytes. Of more, the
    same number is estimated from some 500 products with the kernel in float32, in O(n² d) time and
    2n² bytes, and comes with its interval at 95 %: on networks' embeddings ±1·10⁻⁴ to 8·10⁻⁴ bits,
    see `_spectral_entropy`. With t below 1 and for `entropy="matrix_entry"` there is no such
    estimate, and the exact way is taken whatever n. Where an exact value of many images is needed
    at t = 1, it is that of `ase` with `graph="anisotropic"`.

    Args:
        image_distances: ‖zᵢ − zⱼ‖² of the embeddings Z. They are computed from the embeddings as
            far as the method needs them; a matrix `squared_distances` is not asked for.
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
        `"l2"`; by scale only with `bandwidth="median"`, `"zscore"` or `"l2"`. An `Estimate`
        where it is estimated, and unchanged then within its interval.

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
    check_entropy(entropy, t)  # before the distances of many images are computed
    distances = of_features(image_distances, features)
    if len(distances) > _EXACT_UP_TO and t >= 1 and entropy == "spectral":
        return entropy_estimate(KernelStrips(distances, bandwidth, features), t)
    variance = variance_of(distances, bandwidth, features)
    return float(diffusion_entropy(distances.matrix[None], variance, t, entropy)[0])
