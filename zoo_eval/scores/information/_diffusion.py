"""Entropy of a diffusion process on the images, from their distances.

Let G be the Gaussian kernel of the squared distances, Gᵢⱼ = exp(−‖zᵢ − zⱼ‖² / 2σ²), and Δ the
diagonal matrix of its row sums. K = Δ^−½ G Δ^−½ is symmetric and has the eigenvalues of the
random walk Δ⁻¹G, which lie in [0, 1]. Their entropy is what DSE and DSMI are made of.

The original code says that K has the eigenvalues of a walk normalised a second time. It has
not, but its published numbers come from this K, so this K is what we use.
"""

import random

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial.distance import squareform
from scipy.special import entr

from zoo_eval.errors import InputError, ScoreUndefinedError

# Kernels of one size are diagonalised together, up to this many entries (32 MiB) at a time.
_ENTRIES_PER_BATCH = 2**22


def kernel_variance(
    squared_distances: Float[np.ndarray, "n n"], dimension: int, bandwidth: str | float | int
) -> float:
    """σ² of the kernel, from the option `bandwidth`.

    Args:
        squared_distances: Between all images, also when a kernel of only some is to be made.
        dimension: Number of features d.
        bandwidth: `"sqrt_dim"` for σ = √d; `"median"` for 2σ² = the median squared distance of
            two different images; or σ itself.

    Raises:
        InputError: any other bandwidth.
        ScoreUndefinedError: the median distance is 0, or there are no two images.
    """
    if bandwidth == "sqrt_dim":
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


def diffusion_entropy(
    squared_distances: Float[np.ndarray, "b n n"], variance: float, t: float | int
) -> Float[np.ndarray, " b"]:
    """Entropy of the diffusion eigenvalues of each matrix, in bits.

    Raises:
        InputError: t is not a positive number.
    """
    if not 0 < t < np.inf:
        raise InputError(f"t, the number of diffusion steps, must be positive, but is {t}.")
    kernel = np.exp(squared_distances / (-2 * variance))
    scale = 1 / np.sqrt(kernel.sum(axis=-1))  # row sums are ≥ 1, the diagonal being 1
    kernel *= scale[:, :, None]
    kernel *= scale[:, None, :]
    # K is positive semi-definite, so the absolute value only takes off rounding below 0.
    powers = np.abs(np.linalg.eigvalsh(kernel)) ** t
    probabilities = powers / powers.sum(axis=-1, keepdims=True)
    return entr(probabilities).sum(axis=-1) / np.log(2)


def diffusion_information(
    squared_distances: Float[np.ndarray, "n n"],
    ids: Int[np.ndarray, " n"],
    sizes: Int[np.ndarray, " groups"],
    variance: float,
    *,
    t: float | int,
    repeats: int,
    seed: int,
) -> float:
    """How much lower the entropy within groups of images is than in random images, in bits.

    Each group is compared with random subsets of its own size. Groups of one size share their
    subsets, because the generator starts anew for each group, as in the original code.

    Raises:
        InputError: fewer than one random subset is asked for.
    """
    if repeats < 1:
        raise InputError(f"repeats, the random subsets per group, must be ≥ 1, but is {repeats}.")
    n = len(ids)
    members = np.split(np.argsort(ids, kind="stable"), np.cumsum(sizes)[:-1])
    information = 0.0
    for size in sorted({int(size) for size in sizes}):
        groups = [group for group in members if len(group) == size]
        # The standard library's generator draws the very subsets of the original code.
        generator = random.Random(seed)
        subsets = [generator.sample(range(n), size) for _ in range(repeats)]
        entropies = _subset_entropies(squared_distances, np.array([*groups, *subsets]), variance, t)
        gains = entropies[len(groups) :].mean() - entropies[: len(groups)]
        information += float(gains.sum()) * size / n
    return information


def _subset_entropies(
    squared_distances: Float[np.ndarray, "n n"],
    subsets: Int[np.ndarray, "b size"],
    variance: float,
    t: float | int,
) -> Float[np.ndarray, " b"]:
    """Entropy of each subset of the images, from blocks of one distance matrix."""
    count, size = subsets.shape
    n_batches = -(-count * size**2 // _ENTRIES_PER_BATCH)
    return np.concatenate(
        [
            diffusion_entropy(squared_distances[batch[:, :, None], batch[:, None, :]], variance, t)
            for batch in np.array_split(subsets, min(n_batches, count))
        ]
    )
