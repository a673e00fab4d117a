"""Codebooks: each weight of a tensor becomes the nearest of a few values."""

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from zoo_eval.transforms.weights import Weights, weight_transform

# Places at which the sorted values may be cut before Lloyd's steps: half of them at equal counts
# of values, half at equal distances, so that heavy tails get entries too.
_CUTS = 256
_MOST_STEPS = 1000
# Lloyd's steps shrink slowly; from here on the error is off by some 1e-8 of itself.
_STILL = 1e-6


def _at_bits(weights: Weights, bits: float) -> list[Tensor]:
    return [with_codebook(weight, 2 ** int(bits)) for weight in weights]


# Bits per weight; 32 is the weight itself.
CODEBOOK = weight_transform(_at_bits, levels=(6.0, 5.0, 4.0, 3.0, 2.0, 1.0), none=32.0)


def with_codebook(weight: Tensor, k: int) -> Tensor:
    """A tensor whose weights are replaced by the nearest of k entries of its own codebook."""
    values = weight.detach().flatten().cpu().numpy()
    entries = codebook(values, k)
    chosen = entries[np.searchsorted((entries[1:] + entries[:-1]) / 2, values)]
    return torch.from_numpy(chosen).view(weight.shape).to(weight)


def codebook(values: Float[np.ndarray, " n"], k: int) -> Float[np.ndarray, " entries"]:
    """Entries of a codebook with the least squared error: k-means in one dimension.

    Dynamic programming over some cuts of the sorted values, then Lloyd's steps on all of them: the
    optimum for up to some hundred values, near it for more. With as many entries as distinct
    values, or more, these themselves.
    """
    ordered = np.sort(values).astype(np.float64)
    distinct = ordered[np.append(True, ordered[1:] > ordered[:-1])]
    if len(distinct) <= k:
        return distinct
    sums = np.append(0.0, np.cumsum(ordered))
    edges = _best_edges(ordered, sums, k)
    entries = np.diff(sums[edges]) / np.diff(edges)
    still = _STILL * float(np.std(ordered))
    for _ in range(_MOST_STEPS):
        inner = np.searchsorted(ordered, (entries[1:] + entries[:-1]) / 2)
        edges = np.concatenate([[0], inner, [len(ordered)]])
        counts = np.diff(edges)
        # An entry that no value is nearest to stays where it is.
        means = np.where(counts > 0, np.diff(sums[edges]) / np.maximum(counts, 1), entries)
        moved = np.abs(means - entries).max()
        entries = means
        if moved <= still:
            break
    return entries


def _best_edges(
    ordered: Float[np.ndarray, " n"], sums: Float[np.ndarray, " n_plus_1"], k: int
) -> Int[np.ndarray, " k_plus_1"]:
    """Where to cut the sorted values into k runs, with the least error of those at hand."""
    n = len(ordered)
    n_cuts = max(_CUTS, 2 * k)
    counted = np.linspace(0, n, n_cuts // 2 + 1).astype(np.int64)
    spaced = np.searchsorted(ordered, np.linspace(ordered[0], ordered[-1], n_cuts // 2 + 1))
    cuts = np.arange(n + 1) if n <= n_cuts else np.union1d(counted, spaced)
    squares = np.append(0.0, np.cumsum(ordered**2))[cuts]
    lengths = cuts - cuts[:, None]  # of the run from one cut to another
    run_sums = sums[cuts] - sums[cuts][:, None]
    errors = squares - squares[:, None] - run_sums**2 / np.maximum(lengths, 1)
    errors[lengths <= 0] = np.inf
    least, before = errors[0], list[np.ndarray]()
    for _ in range(k - 1):
        totals = least[:, None] + errors
        before.append(totals.argmin(axis=0))
        least = totals.min(axis=0)
    chosen = [len(cuts) - 1]
    for step in reversed(before):
        chosen.append(int(step[chosen[-1]]))
    return cuts[[0, *reversed(chosen)]]
