"""Diffusion spectral entropy (DSE)."""

import numpy as np

from zoo_eval.errors import InputError
from zoo_eval.quantities.distances import ImageDistances
from zoo_eval.scores._score import score
from zoo_eval.scores.information._diffusion import (
    check_steps,
    diffusion_entropy,
    of_features,
    variance_of,
)
from zoo_eval.scores.information._kernel_strips import KernelStrips
from zoo_eval.scores.information._spectral_entropy import SMALLEST, entropy_estimate

# MEASURED
_EXACT_UP_TO = 4096


@score(unit="bits", higher_is_better=None, bounds=(0.0, np.inf), version=2)
def dse(
    image_distances: ImageDistances,
    *,
    bandwidth: str | float | int = "sqrt_dim",
    t: float | int = 1,
    features: str = "raw",
    entropy: str = "spectral",
    method: str = "auto",
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

    `method="exact"` takes all eigenvalues, in O(n³) time and 24n² bytes. `"lanczos"` estimates
    the same number from some 500 products with the kernel in float32, in O(n² d) time and 2n²
    bytes, and gives its interval at 95 %: on networks' embeddings about ±4·10⁻⁴ bits, see
    `_spectral_entropy`. It needs t ≥ 1 and the entropy `"spectral"`, and takes the exact way with
    768 images or fewer. `"auto"` is exact up to 4,096 images, and where Lanczos has no answer.

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
        method: `"exact"`, `"lanczos"` or `"auto"`.

    Returns:
        Bits, from 0 (all embeddings equal) to log₂ n (all far apart, measured in σ); k tight
        clusters far from each other give log₂ k, whatever their sizes. Unchanged by reordering
        images; by rotation, except with `features="zscore"`; by translation, except with
        `"l2"`; by scale only with `bandwidth="median"`, `"zscore"` or `"l2"`.

    Raises:
        InputError: an option is not one of the above, `features="l2"` comes with
            `bandwidth="sqrt_dim"`, or `entropy="matrix_entry"` with another t than 1; or
            `method="lanczos"` with t below 1 or `entropy="matrix_entry"`.
        ScoreUndefinedError: `bandwidth="median"` and the median distance is 0, or
            `features="l2"` and an embedding is zero.

    References:
        Liao et al., "Diffusion Spectral Entropy" (2023), DSE, https://arxiv.org/abs/2312.04823

    >>> far_apart = 100 * np.eye(8)
    >>> round(dse(embeddings=far_apart), 6)
    3.0
    """
    distances = of_features(image_distances, features)
    if _by_lanczos(method, len(distances), t, entropy):
        return entropy_estimate(KernelStrips(distances, bandwidth, features), t)
    variance = variance_of(distances, bandwidth, features)
    return float(diffusion_entropy(distances.matrix[None], variance, t, entropy)[0])


def _by_lanczos(method: str, n: int, t: float | int, entropy: str) -> bool:
    """Whether the entropy is to be estimated."""
    check_steps(t)
    # A power below 1 would raise the rounding of small eigenvalues to a size that counts.
    has_answer = t >= 1 and entropy == "spectral"
    if method == "lanczos" and not has_answer:
        raise InputError(
            f"method='lanczos' estimates entropy='spectral' with t ≥ 1, but entropy is {entropy!r} "
            f"and t is {t}. Take method='exact'."
        )
    if method not in ("auto", "exact", "lanczos"):
        raise InputError(f"method must be 'auto', 'exact' or 'lanczos', but is {method!r}.")
    at_least = {"auto": _EXACT_UP_TO + 1, "lanczos": SMALLEST}.get(method, np.inf)
    return has_answer and n >= at_least
