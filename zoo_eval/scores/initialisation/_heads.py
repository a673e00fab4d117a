"""Trains small heads on embeddings by gradient descent, many side by side.

A head is one row of a matrix: all its weights, one after the other. `parts` shapes them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from jaxtyping import Float, Float32, Int, Int64
from torch import Tensor

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids
from zoo_eval.scores._episodes import Members

Heads = Float[Tensor, "heads weights"]
# What heads make of inputs, each of its own: (heads, n, d) -> (heads, n, classes).
Logits = Callable[[Heads, Tensor], Tensor]
_ROUNDING = 1e-6  # logits this close are equal


@dataclass(frozen=True)
class AnnealedNoise:
    """Normal noise on gradients, of variance η / (1 + t)^0.55 at step t from 0 on.

    Attributes:
        eta: η, the variance at the first step.
        generators: One per head, so that a head's noise does not depend on the others.
    """

    eta: float
    generators: Sequence[np.random.Generator]

    def deviation(self, step: int) -> float:
        """Standard deviation at a step."""
        return float(np.sqrt(self.eta / (1 + step) ** 0.55))

    def draw(self, step: int, n_weights: int) -> Heads:
        """The noise of all heads at a step."""
        rows = [one.standard_normal(n_weights, dtype=np.float32) for one in self.generators]
        return self.deviation(step) * torch.from_numpy(np.stack(rows))


def descend(
    heads: Heads,
    losses: Callable[[Heads], Float[Tensor, " heads"]],
    *,
    rate: float,
    steps: int,
    longest: float = np.inf,
    noise: AnnealedNoise | None = None,
) -> Heads:
    """Heads after plain gradient descent w ← w − rate · ∇, each on its own loss.

    Args:
        heads: Where they start; not changed.
        losses: Loss of each head, which depends on no other head.
        rate: Size of the steps.
        steps: How many.
        longest: Longer gradients are shortened to this length, before noise is added.
        noise: Added to the gradients.
    """
    for step in range(steps):
        now = heads.detach().requires_grad_()
        with torch.enable_grad():
            (gradients,) = torch.autograd.grad(losses(now).sum(), now)
        if np.isfinite(longest):
            lengths = torch.linalg.vector_norm(gradients, dim=1, keepdim=True)
            gradients = gradients * (longest / lengths.clamp(min=longest))
        if noise is not None:
            gradients = gradients + noise.draw(step, heads.shape[1])
        heads = heads - rate * gradients
    return heads


def parts(heads: Heads, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
    """The weights of all heads as tensors of shape (heads, *shape), without copying."""
    pieces = heads.split([prod(shape) for shape in shapes], dim=1)
    return [p.reshape(len(heads), *shape) for p, shape in zip(pieces, shapes, strict=True)]


@dataclass(frozen=True)
class FewLabels:
    """Which images each head learns from, equally many of each class, and which judge it.

    Attributes:
        kept: Images of the classes that take part.
        ids: Class of each of these.
        train: Places among the kept images, by head.
        test: The other places, by head.
    """

    kept: Int[np.ndarray, " kept"]
    ids: Int[np.ndarray, " kept"]
    train: Int[np.ndarray, "heads train"]
    test: Int[np.ndarray, "heads test"]

    @property
    def n_classes(self) -> int:
        """Number of classes that take part."""
        return int(self.ids.max()) + 1


def few_labels(
    labels: Int[np.ndarray, " n"], score_name: str, *, shots: int, heads: int, seed: int
) -> FewLabels:
    """Draw `shots` images of each class for each head; smaller classes take no part.

    Raises:
        InputError: shots is below 1, or heads below 2.
        ScoreUndefinedError: fewer than two classes have more than `shots` images.
    """
    for name, value, least in (("shots", shots, 1), ("heads", heads, 2)):
        if value < least:
            raise InputError(f"{name} must be ≥ {least}, but is {value}.")
    ids, sizes = class_ids(labels, score_name)
    if np.sum(sizes > shots) < 2:
        raise ScoreUndefinedError(
            f"{score_name} learns from {shots} images of each class and is judged by others, but "
            f"{int(np.sum(sizes > shots))} of {len(sizes)} classes have more than {shots}; the "
            f"largest has {sizes.max()}. Lower shots."
        )
    kept = np.flatnonzero(sizes[ids] > shots)
    members = Members(ids[kept], score_name)
    classes = np.arange(len(members.sizes))
    rng = np.random.default_rng(seed)
    train = members.draw(rng, classes, len(classes), shots, heads).reshape(heads, -1)
    rest = np.ones((heads, len(kept)), dtype=bool)
    np.put_along_axis(rest, train, False, axis=1)
    test = np.nonzero(rest)[1].reshape(heads, -1)
    return FewLabels(kept, class_ids(ids[kept], score_name)[0], train, test)


def coordinates(svd: ThinSvd, most: int) -> Float32[np.ndarray, "n k"]:
    """Embeddings less their mean in their principal axes; the largest variance is 1.

    Gradient descent knows no directions: heads on these coordinates are those on the embeddings.

    Args:
        svd: Of the centred embeddings.
        most: Number of axes at most, those of the largest variance.

    Raises:
        ScoreUndefinedError: all embeddings are equal.
    """
    values = svd.singular_values[:most]
    if len(values) == 0:
        raise ScoreUndefinedError(
            f"All {len(svd.left)} embeddings are equal, and no head can learn from them."
        )
    z = svd.left[:, :most] * (values / values[0] * np.sqrt(len(svd.left)))
    return z.astype(np.float32)


def cross_entropies(
    logits: Float[Tensor, "heads n classes"], ids: Int64[Tensor, "heads n"]
) -> Float[Tensor, " heads"]:
    """Mean over each head's images of −ln of the right class's softmax, in nats."""
    right = torch.log_softmax(logits, dim=2).gather(2, ids.unsqueeze(2))
    return -right.mean(dim=(1, 2))


def accuracies(
    logits: Float[Tensor, "heads n classes"], ids: Int64[Tensor, "heads n"]
) -> Float[np.ndarray, " heads"]:
    """Share of images whose class has the largest logit; where m have it, a right one counts 1/m.

    A head whose weights have overflown is never right.
    """
    best = logits >= logits.amax(dim=2, keepdim=True) - _ROUNDING
    right = best.gather(2, ids.unsqueeze(2)).squeeze(2)
    shares = right / best.sum(dim=2).clamp(min=1)
    return shares.double().mean(dim=1).numpy()
