"""A chain of linear layers with ReLU between them."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from zoo_eval.scores.initialisation._heads import Heads, parts

# Standard deviation of the weights at the start, by the number of inputs; biases are 0.
STARTS: dict[str, Callable[[int], float]] = {
    "zeros": lambda _: 0.0,
    "tiny": lambda _: 0.01,
    "he": lambda inputs: (2 / inputs) ** 0.5,
}


class DeepHead:
    """Logits of embeddings through a few small layers.

    Args:
        width: Numbers per embedding.
        hidden: Units of each hidden layer.
        n_classes: Logits.
        layers: Linear layers.
    """

    def __init__(self, width: int, hidden: int, n_classes: int, layers: int) -> None:
        sizes = [width, *[hidden] * (layers - 1), n_classes]
        self._weights = list(pairwise(sizes))
        self._shapes = [*self._weights, *((1, size) for size in sizes[1:])]

    def new(self, start: str, generators: Sequence[np.random.Generator]) -> Heads:
        """One head per generator, at one of `STARTS`."""
        n_biases = sum(n for _, n in self._weights)
        rows = [
            np.concatenate(
                [STARTS[start](a) * g.standard_normal(a * b) for a, b in self._weights]
                + [np.zeros(n_biases)]
            )
            for g in generators
        ]
        return torch.from_numpy(np.stack(rows)).float()

    def __call__(
        self, heads: Heads, z: Float[Tensor, "heads n d"]
    ) -> Float[Tensor, "heads n classes"]:
        """Logits of each head for its own embeddings."""
        pieces = parts(heads, self._shapes)
        weights, biases = pieces[: len(self._weights)], pieces[len(self._weights) :]
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            z = torch.relu(torch.baddbmm(bias, z, weight))
        return torch.baddbmm(biases[-1], z, weights[-1])
