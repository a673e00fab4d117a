"""Mutual information as the entropy that a group of images lacks to random images."""

import random
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int

from zoo_eval.errors import InputError
from zoo_eval.threads import in_threads

# Subsets of one size are handled together, up to this many pairs of images (2 MiB) at a time.
_ENTRIES_PER_BATCH = 2**18
_LARGEST_PER_THREAD = 1000  # images of a subset


def information_gain(
    entropies: Callable[[np.ndarray], np.ndarray],
    ids: Int[np.ndarray, " n"],
    sizes: Int[np.ndarray, " groups"],
    *,
    repeats: int,
    seed: int,
) -> float:
    """How much lower the entropy within groups of images is than in random images.

    Σ_c (n_c / n) (mean over r of H(R_cr) − H(Z_c)), with Z_c the n_c images of group c and R_cr
    random subsets of n_c of all images. Groups of one size share their subsets, because the
    generator starts anew for each group, as in the original code.

    Args:
        entropies: Entropy of each subset, given as rows of image numbers, shape (b, size).
        ids: Group of each image, 0 … groups − 1.
        sizes: Images of each group.
        repeats: Random subsets per group.
        seed: Start of the random subsets.

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
        found = _in_batches(entropies, np.array([*groups, *subsets]))
        gains = found[len(groups) :].mean() - found[: len(groups)]
        information += float(gains.sum()) * size / n
    return information


def blocks(
    squared_distances: Float[np.ndarray, "n n"], subsets: Int[np.ndarray, "b size"]
) -> Float[np.ndarray, "b size size"]:
    """Distances within each subset of the images."""
    return squared_distances[subsets[:, :, None], subsets[:, None, :]]


def _in_batches(
    entropies: Callable[[np.ndarray], np.ndarray], subsets: Int[np.ndarray, "b size"]
) -> Float[np.ndarray, " b"]:
    """Entropies of all subsets, some at a time to bound the memory and to stay in the cache.

    Matrices of a few hundred images are too small to be shared between threads, but the batches
    are not: each thread takes as many.
    """
    count, size = subsets.shape
    if size > _LARGEST_PER_THREAD:
        return np.concatenate([entropies(subset) for subset in subsets[:, None]])
    n_threads = torch.get_num_threads()
    per_thread = -(-count * size**2 // (_ENTRIES_PER_BATCH * n_threads))
    # Of a single matrix NumPy takes the eigenvalues without letting other threads go on.
    n_batches = max(1, min(per_thread * n_threads, count // 2))
    return np.concatenate(in_threads(entropies, np.array_split(subsets, n_batches)))
