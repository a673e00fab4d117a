"""A linear probe behind an adapter that begins as nothing."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from zoo_eval.scores.initialisation._heads import Heads, parts

AXES = 256  # principal axes that heads see, which bounds time and memory
RATE = 1.0  # with the largest variance at 1 a linear probe descends at any rate below 4


class AdaptedProbe:
    """Logits W (z + Z ReLU(A z)) + b of embeddings z.

    Args:
        width: d, numbers per embedding.
        n_classes: Logits.
        rank: Rows of A.
    """

    def __init__(self, width: int, n_classes: int, rank: int) -> None:
        self._shapes = [(width, n_classes), (1, n_classes), (rank, width), (width, rank)]

    def new(self, heads: int, seed: int) -> Heads:
        """Heads with W, b, Z = 0, and A normal of variance 1/d."""
        *zero, (width, rank) = self._shapes
        rows = [
            np.random.default_rng([seed, head]).normal(0, width**-0.5, size=width * rank)
            for head in range(heads)
        ]
        n_zero = sum(a * b for a, b in zero)
        return torch.from_numpy(np.pad(np.stack(rows), ((0, 0), (n_zero, 0)))).float()

    def adapted(
        self, heads: Heads, z: Float[Tensor, "heads n d"]
    ) -> Float[Tensor, "heads n classes"]:
        """Logits with the adapter."""
        weights, bias, out, into = parts(heads, self._shapes)
        return (z + torch.relu(z @ into) @ out) @ weights + bias

    def plain(
        self, heads: Heads, z: Float[Tensor, "heads n d"]
    ) -> Float[Tensor, "heads n classes"]:
        """Logits without it."""
        weights, bias, _, _ = parts(heads, self._shapes)
        return z @ weights + bias
