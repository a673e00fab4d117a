"""Entropy of the images' cells on a grid: the plug-in estimate by binning."""

from collections import Counter

import numpy as np
from jaxtyping import Float, Integer, Shaped
from scipy.special import entr

from zoo_eval.errors import InputError


def equal_width_bins(values: Shaped[np.ndarray, "n d"], bins: int) -> Integer[np.ndarray, "n d"]:
    """Bin of each value, 0 … bins − 1: equal widths from the column's minimum to its maximum.

    An inner edge belongs to the bin above it. All values of a constant column are in bin 0.

    Raises:
        InputError: fewer than two bins are asked for.
    """
    if bins < 2:
        raise InputError(f"bins, per feature, must be ≥ 2, but is {bins}.")
    x = values.astype(np.float64)
    lowest = x.min(axis=0)
    width = x.max(axis=0) - lowest
    x -= lowest
    x /= np.where(width > 0, width, 1)
    x *= bins
    return np.minimum(x, bins - 1).astype(np.min_scalar_type(bins - 1))


def cell_entropy(embeddings: Shaped[np.ndarray, "n d"], bins: int) -> float:
    """Entropy, in bits, of the cells that the images fall into; `bins` per feature."""
    cells = equal_width_bins(embeddings, bins)
    counts = np.array(list(Counter(cell.tobytes() for cell in cells).values()), dtype=np.float64)
    return float(entr(counts / len(cells)).sum() / np.log(2))


def cell_entropies(
    embeddings: Shaped[np.ndarray, "n d"], subsets: Integer[np.ndarray, "b size"], bins: int
) -> Float[np.ndarray, " b"]:
    """Entropy of each subset of the images, the bins fitted to that subset."""
    return np.array([cell_entropy(embeddings[subset], bins) for subset in subsets])
