"""Effective rank of the weights: how many directions the layers use."""

import math

import torch
from torch import Tensor, nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.gradients import needed_weights
from zoo_eval.scores._score import score

_KINDS = ("entropy", "participation", "stable")


@score(unit="fraction of the full rank", higher_is_better=None, bounds=(0.0, 1.0), cost="none")
def weight_rank(model: nn.Module, *, kind: str = "entropy") -> float:
    """Effective rank of a weight matrix over its full rank, mean over layers.

    Let σ₁ ≥ … ≥ σₖ be the singular values of a layer's weights as a matrix with one row per
    output channel. Its effective rank is exp(−Σᵢ pᵢ ln pᵢ) with pᵢ = σᵢ / Σⱼ σⱼ, or
    (Σᵢ σᵢ²)² / Σᵢ σᵢ⁴, or Σᵢ σᵢ² / σ₁². Divided by k, the smaller side of the matrix, it is
    averaged over the convolutions and linear layers, each counting the same.

    The paper relates the rank of initial weights to rich (low) or lazy (high) learning of
    recurrent networks; which of these ranks it takes is in a part that was not seen, so all
    three are here. Of pretrained weights it says how far a layer could be factorised.

    Args:
        model: The network.
        kind: `"entropy"`, `"participation"` or `"stable"`, in the order above.

    Returns:
        From 0 to 1 (every matrix is a multiple of one with orthonormal rows or columns).
        Unchanged by scale and by rotations of a layer's inputs or outputs.

    Raises:
        InputError: another kind.
        ScoreUndefinedError: the network has no convolution or linear layer, or all are zero.

    References:
        Liu et al., "How Connectivity Structure Shapes Rich and Lazy Learning in Neural
            Circuits", ICLR 2024, https://arxiv.org/abs/2310.08513
        Roy and Vetterli, "The Effective Rank", EUSIPCO 2007,
            https://ieeexplore.ieee.org/document/7098875

    >>> layer = nn.Linear(2, 2)
    >>> _ = layer.weight.data.copy_(torch.diag(torch.tensor([2.0, 1.0])))
    >>> round(weight_rank(layer, kind="stable"), 6)  # (4 + 1) / 4 of 2
    0.625
    """
    if kind not in _KINDS:
        raise InputError(f"kind must be one of {', '.join(_KINDS)}, but is {kind!r}.")
    named = needed_weights(model)
    ranks = [rank for _, weight in named if (rank := _rank(weight, kind)) is not None]
    if not ranks:
        raise ScoreUndefinedError(
            f"The rank of weights needs a weight that is not zero, but all {len(named)} tensors "
            f"of {type(model).__name__} are zero."
        )
    return sum(ranks) / len(ranks)


def _rank(weight: Tensor, kind: str) -> float | None:
    """Effective rank over full rank; None for a matrix of zeros."""
    matrix = weight.detach().flatten(1).double()
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    largest = matrix.abs().max()
    if largest == 0:
        return None
    matrix = matrix / largest  # so that no square underflows
    # The smaller product has the squared singular values, at a fraction of a decomposition's cost.
    squares = torch.linalg.eigvalsh(matrix @ matrix.T).clamp(min=0)
    if kind == "stable":
        rank = float(squares.sum() / squares[-1])
    elif kind == "participation":
        rank = float(squares.sum() ** 2 / squares.square().sum())
    else:
        values = squares.sqrt()
        rank = math.exp(float(torch.special.entr(values / values.sum()).sum()))
    return min(rank / len(matrix), 1.0)
