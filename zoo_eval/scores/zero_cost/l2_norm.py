"""Norm of the weights, the zero-cost score without data."""

import torch
from torch import nn

from zoo_eval.quantities.gradients import needed_weights
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="weight units",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="none",
)
def l2_norm(model: nn.Module) -> float:
    """Sum over convolutions and linear layers of the Euclidean norm of the weight, Σₗ ‖Wₗ‖₂.

    A sum of norms, not the norm of everything. At initialisation it is a function of the
    layers' shapes and of the initialisation alone, so a relative of `params`.

    Args:
        model: The network.

    Returns:
        0 (all weights zero) or more.

    Raises:
        ScoreUndefinedError: the network has no convolution or linear layer.

    References:
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021,
            https://arxiv.org/abs/2101.08134
        Krishnakumar et al., "NAS-Bench-Suite-Zero", NeurIPS 2022,
            https://arxiv.org/abs/2210.03230 (as a baseline, more is better)

    >>> layer = nn.Linear(2, 1)
    >>> layer.weight = nn.Parameter(torch.tensor([[3.0, 4.0]]))
    >>> l2_norm(layer)
    5.0
    """
    return sum(
        float(torch.linalg.vector_norm(weight.detach(), dtype=torch.float64))
        for _, weight in needed_weights(model)
    )
