"""How far training moved the weights."""

import math

import torch
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores._score import score
from zoo_eval.scores.initialisation._weights import with_start


@score(unit="norms of the start", higher_is_better=None, bounds=(0.0, float("inf")), cost="none")
def weight_change(model: nn.Module, initial_model: nn.Module, *, least: bool = False) -> float:
    """Distance of the weights from those at the start, over the norm of those.

    ‖W − W₀‖ / ‖W₀‖, both over the weights of all convolutions and linear layers together. In
    the paper, networks that learn lazily move little: their weights at the start have high rank.

    The start is what timm's initialisation gives with the manifest's `seed`: the true one, where
    the network was trained from there, as in the fashion zoo. Without a seed it is a fresh draw,
    and not what the network came from.

    Against a fresh draw W and W₀ are about orthogonal, so that the value is
    √(1 + ‖W‖² / ‖W₀‖²) and says how much weights grew or shrank. With `least` it is the shortest
    way from any start with the singular values of this one, ‖σ(W) − σ(W₀)‖ / ‖W₀‖ (Mirsky): as
    draws of a large matrix hardly differ in their singular values, this bounds the true change
    from below, whatever the true start was.

    Args:
        model: The network.
        initial_model: The same before training.
        least: Whether only the singular values of each layer are compared, as a matrix with one
            row per output channel.

    Returns:
        From 0 (nothing moved) up. Unchanged if both networks' weights are scaled alike.

    Raises:
        InputError: the networks are not of one architecture.
        ScoreUndefinedError: there is no convolution or linear layer, or all are zero at the start.

    References:
        Liu et al., "How Connectivity Structure Shapes Rich and Lazy Learning in Neural
            Circuits", ICLR 2024, https://arxiv.org/abs/2310.08513
        Mirsky, "Symmetric Gauge Functions and Unitarily Invariant Norms", Quarterly Journal of
            Mathematics 1960.

    >>> now, before = nn.Linear(2, 2), nn.Linear(2, 2)
    >>> _ = before.weight.data.copy_(torch.eye(2)), now.weight.data.copy_(torch.eye(2).flip(0))
    >>> round(weight_change(now, before), 6), round(weight_change(now, before, least=True), 6)
    (1.414214, 0.0)
    """
    moved, norm = 0.0, 0.0
    for weight, before in with_start(model, initial_model):
        if least:
            weight, before = _singular_values(weight), _singular_values(before)
        moved += float((weight.double() - before.double()).square().sum())
        norm += float(before.double().square().sum())
    if norm == 0:
        raise ScoreUndefinedError(
            "The change of weights is relative to those at the start, but these are all zero."
        )
    return math.sqrt(moved / norm)


def _singular_values(weight: Tensor) -> Tensor:
    return torch.linalg.svdvals(weight.flatten(1).double())
