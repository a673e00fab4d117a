"""Entropy of a diffusion process on the images, from their distances.

Let G be the Gaussian kernel of the squared distances, Gᵢⱼ = exp(−‖zᵢ − zⱼ‖² / 2σ²), and Δ the
diagonal matrix of its row sums. K = Δ^−½ G Δ^−½ is symmetric and has the eigenvalues of the
random walk Δ⁻¹G, which lie in [0, 1]. Their entropy is what DSE and DSMI are made of.

The original code says that K has the eigenvalues of a walk normalised a second time. It has
not, but its published numbers come from this K, so this K is what we use. Only its entropy of
matrix entries does use the second walk, P = Λ⁻¹K with Λ the row sums of K.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial.distance import squareform
from scipy.special import entr

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.distances import ImageDistances
from zoo_eval.scores.information._features import standardised, unit_rows
from zoo_eval.scores.information._subsets import information_gain
from zoo_eval.threads import in_threads, row_blocks

# From here on a matrix no longer fits in the cache of a processor (32 MB), and torch's LAPACK
# reduces it faster than numpy's: 1.8 instead of 2.1 s at n = 3,000, 5.4 instead of 9.0 s at 4,000
# on one core. Below, numpy's is as fast or faster: 0.08 instead of 0.13 s at 1,000.
_TORCH_FROM = 2048


def of_features(distances: ImageDistances, features: str) -> ImageDistances:
    """Distances of the images by the option `features`; see `feature_distances`.

    Raises:
        InputError: features is none of `"raw"`, `"zscore"` and `"l2"`.
        ScoreUndefinedError: `"l2"`, and an embedding is zero.
    """
    if features == "raw":
        return distances
    if features == "zscore":
        return ImageDistances(standardised(distances.embeddings))
    if features == "l2":
        return ImageDistances(unit_rows(distances.embeddings))
    raise InputError(f"features must be 'raw', 'zscore' or 'l2', but is {features!r}.")


def variance_of(distances: ImageDistances, bandwidth: str | float | int, features: str) -> float:
    """σ² of the kernel as in `kernel_variance`; needs the matrix for `"median"` only."""
    if bandwidth == "median":
        return kernel_variance(distances.matrix, distances.n_features, bandwidth, features)
    return fixed_variance(distances.n_features, bandwidth, features)


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
    if bandwidth == "median":
        pairs = squareform(squared_distances, checks=False)
        median = float(np.median(pairs)) if pairs.size else 0.0
        return median_variance(median, len(squared_distances))
    return fixed_variance(dimension, bandwidth, features)


def median_variance(median: float, n: int) -> float:
    """σ² from the median squared distance of n images.

    Raises:
        ScoreUndefinedError: the median is 0.
    """
    if median == 0:
        raise ScoreUndefinedError(
            f"bandwidth='median' needs distinct embeddings, but the median distance between "
            f"the {n} images is 0. Set bandwidth to a number."
        )
    return median / 2


def fixed_variance(dimension: int, bandwidth: str | float | int, features: str) -> float:
    """σ² of a bandwidth that does not depend on the distances; see `kernel_variance`."""
    if bandwidth == "sqrt_dim":
        if features == "l2":
            # exp(−‖zᵢ − zⱼ‖² / 2d) ≥ exp(−2 / d): nearly 1 for every pair, whatever the model.
            raise InputError(
                f"bandwidth='sqrt_dim', here {dimension**0.5:.3g}, says nothing with "
                "features='l2', where no two images are further apart than 2. "
                "Set bandwidth to 'median' or to a number such as 1."
            )
        return float(dimension)
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
    kernel = np.empty_like(squared_distances)
    degrees = np.empty(kernel.shape[:-1])
    blocks = row_blocks(kernel.shape[-1], kernel[:, 0].size)

    def take_exponential(rows: slice) -> None:
        block = np.multiply(squared_distances[:, rows], -0.5 / variance, out=kernel[:, rows])
        np.exp(block, out=block).sum(axis=-1, out=degrees[:, rows])

    in_threads(take_exponential, blocks)
    scale = 1 / np.sqrt(degrees)  # row sums are ≥ 1, the diagonal being 1

    def normalise(rows: slice) -> None:
        kernel[:, rows] *= scale[:, rows, None]
        kernel[:, rows] *= scale[:, None, :]

    in_threads(normalise, blocks)
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
    check_entropy(entropy, t)
    if entropy == "spectral":
        # K is positive semi-definite, so the absolute value only takes off rounding below 0.
        eigenvalues = np.abs(symmetric_eigenvalues(diffusion_kernel(squared_distances, variance)))
        if t < 1:  # a small power would raise rounding to a size that counts
            eigenvalues[eigenvalues < eigenvalues.shape[-1] * np.finfo(np.float64).eps] = 0
        return spectral_entropy(eigenvalues**t)
    walk = diffusion_kernel(squared_distances, variance)
    walk /= walk.sum(axis=-1, keepdims=True)
    n = walk.shape[-1]
    # The n² entries Pᵢⱼ / n sum to 1: log₂ n for the row, and the mean entropy within a row.
    return np.log2(n) + entr(walk).sum(axis=(-2, -1)) / (n * np.log(2))


def check_entropy(entropy: str, t: float | int) -> None:
    """Refuse an unknown entropy, and a number of diffusion steps that has no meaning.

    Raises:
        InputError: t is not a positive number, or not 1 where it has no meaning; or entropy is
            neither `"spectral"` nor `"matrix_entry"`.
    """
    if not 0 < t < np.inf:
        raise InputError(f"t, the number of diffusion steps, must be positive, but is {t}.")
    if entropy not in ("spectral", "matrix_entry"):
        raise InputError(f"entropy must be 'spectral' or 'matrix_entry', but is {entropy!r}.")
    if entropy == "matrix_entry" and t != 1:
        raise InputError(
            f"entropy='matrix_entry' is of the entries of one step and knows no t, but t is {t}. "
            "Leave t at 1, or take entropy='spectral'."
        )


def symmetric_eigenvalues(matrices: Float[np.ndarray, "b n n"]) -> Float[np.ndarray, "b n"]:
    """Eigenvalues of each symmetric matrix, ascending."""
    if matrices.shape[-1] < _TORCH_FROM:
        return np.linalg.eigvalsh(matrices)
    # LAPACK wants columns, and gets the rows, which are the same, without a copy across them.
    return torch.linalg.eigvalsh(torch.from_numpy(matrices).mT).numpy()


def spectral_entropy(weights: Float[np.ndarray, "b n"]) -> Float[np.ndarray, " b"]:
    """Entropy of each row of non-negative weights, scaled to sum 1, in bits."""
    return entr(weights / weights.sum(axis=-1, keepdims=True)).sum(axis=-1) / np.log(2)


def diffusion_information(
    distances: ImageDistances,
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
        return diffusion_entropy(distances.within(subsets), variance, t, entropy)

    return information_gain(entropies, ids, sizes, repeats=repeats, seed=seed)
