"""Entropy of a diffusion process on the images, from their distances.

Let G be the Gaussian kernel of the squared distances, Gᵢⱼ = exp(−‖zᵢ − zⱼ‖² / 2σ²), and Δ the
diagonal matrix of its row sums. K = Δ^−½ G Δ^−½ is symmetric and has the eigenvalues of the
random walk Δ⁻¹G, which lie in [0, 1]. Their entropy is what DSE and DSMI are made of.

The original code says that K has the eigenvalues of a walk normalised a second time. It has
not, but its published numbers come from this K, so this K is what we use. Only its entropy of
matrix entries does use the second walk, P = Λ⁻¹K with Λ the row sums of K.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import squareform
from scipy.special import entr

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.information._subsets import blocks, information_gain


def kernel_variance(
    squared_distances: Float[np.ndarray, "n n"],
    dimension: int,
    bandwidth: str | float | int,
    features: str,
) -> float:
    """σ² of the kernel, from the option `bandwidth`.

    Args:
        squared_distances: Between all images, also when a kernel of only some is to be made.
        dimension: Number of features d.
        bandwidth: `"sqrt_dim"` for σ = √d; `"median"` for 2σ² = the median squared distance of
            two different images; or σ itself.
        features: How the features were scaled; σ = √d makes no sense with `"l2"`.

    Raises:
        InputError: any other bandwidth, or `"sqrt_dim"` with features `"l2"`.
        ScoreUndefinedError: the median distance is 0, or there are no two images.
    """
    if bandwidth == "sqrt_dim":
        if features == "l2":
            # exp(−‖zᵢ − zⱼ‖² / 2d) ≥ exp(−2 / d): nearly 1 for every pair, whatever the model.
            raise InputError(
                f"bandwidth='sqrt_dim', here {dimension**0.5:.3g}, says nothing with "
                "features='l2', where no two images are further apart than 2. "
                "Set bandwidth to 'median' or to a number such as 1."
            )
        return float(dimension)
    if bandwidth == "median":
        pairs = squareform(squared_distances, checks=False)
        median = float(np.median(pairs)) if pairs.size else 0.0
        if median == 0:
            raise ScoreUndefinedError(
                f"bandwidth='median' needs distinct embeddings, but the median distance between "
                f"the {len(squared_distances)} images is 0. Set bandwidth to a number."
            )
        return median / 2
    variance = 0.0 if isinstance(bandwidth, (str, bool)) else float(bandwidth) ** 2
    if not (0 < variance < np.inf and float(bandwidth) > 0):
        raise InputError(
            f"bandwidth must be 'sqrt_dim', 'median' or a positive number, but is {bandwidth!r}."
        )
    return variance


def diffusion_kernel(
    squared_distances: Float[np.ndarray, "b n n"], variance: float
) -> Float[np.ndarray, "b n n"]:
    """K = Δ^−½ G Δ^−½ of each matrix, without a product with a diagonal matrix."""
    kernel = np.exp(squared_distances / (-2 * variance))
    scale = 1 / np.sqrt(kernel.sum(axis=-1))  # row sums are ≥ 1, the diagonal being 1
    kernel *= scale[:, :, None]
    kernel *= scale[:, None, :]
    return kernel


def diffusion_entropy(
    squared_distances: Float[np.ndarray, "b n n"],
    variance: float,
    t: float | int,
    entropy: str,
) -> Float[np.ndarray, " b"]:
    """Entropy of the diffusion on each matrix of distances, in bits, by the option `entropy`.

    Raises:
        InputError: t is not a positive number, or not 1 where it has no meaning; or entropy is
            neither `"spectral"` nor `"matrix_entry"`.
    """
    if not 0 < t < np.inf:
        raise InputError(f"t, the number of diffusion steps, must be positive, but is {t}.")
    if entropy == "spectral":
        # K is positive semi-definite, so the absolute value only takes off rounding below 0.
        eigenvalues = np.abs(np.linalg.eigvalsh(diffusion_kernel(squared_distances, variance)))
        if t < 1:  # a small power would raise rounding to a size that counts
            eigenvalues[eigenvalues < eigenvalues.shape[-1] * np.finfo(np.float64).eps] = 0
        return spectral_entropy(eigenvalues**t)
    if entropy != "matrix_entry":
        raise InputError(f"entropy must be 'spectral' or 'matrix_entry', but is {entropy!r}.")
    if t != 1:
        raise InputError(
            f"entropy='matrix_entry' is of the entries of one step and knows no t, but t is {t}. "
            "Leave t at 1, or take entropy='spectral'."
        )
    walk = diffusion_kernel(squared_distances, variance)
    walk /= walk.sum(axis=-1, keepdims=True)
    n = walk.shape[-1]
    # The n² entries Pᵢⱼ / n sum to 1: log₂ n for the row, and the mean entropy within a row.
    return np.log2(n) + entr(walk).sum(axis=(-2, -1)) / (n * np.log(2))


def spectral_entropy(weights: Float[np.ndarray, "b n"]) -> Float[np.ndarray, " b"]:
    """Entropy of each row of non-negative weights, scaled to sum 1, in bits."""
    return entr(weights / weights.sum(axis=-1, keepdims=True)).sum(axis=-1) / np.log(2)


def diffusion_information(
    squared_distances: Float[np.ndarray, "n n"],
    ids: Int[np.ndarray, " n"],
    sizes: Int[np.ndarray, " groups"],
    variance: float,
    *,
    t: float | int,
    entropy: str,
    repeats: int,
    seed: int,
) -> float:
    """How much lower the entropy within groups is than in random images; `information_gain`."""

    def entropies(subsets: np.ndarray) -> np.ndarray:
        return diffusion_entropy(blocks(squared_distances, subsets), variance, t, entropy)

    return information_gain(entropies, ids, sizes, repeats=repeats, seed=seed)
