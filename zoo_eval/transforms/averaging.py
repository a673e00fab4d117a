"""Averages checkpoints of one architecture, and gives the average back its variance."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

EPSILON = 1e-12


def averaged(tensors: Sequence[Tensor], *, corrected: bool = False) -> Tensor:
    """Mean of some tensors of one shape, in float64.

    Independent weights cancel: the mean of n has a variance of 1/n. Corrected, with m the mean of
    the entries of W̄ and v the mean of the tensors' variances (each with n − 1 degrees of freedom),
    it is (W̄ − m) √((v + ε) / (Var W̄ + ε)) + m, ε = 1e-12, which has variance v. The authors' ε of
    1e-4 is as large as the variances of real layers and would leave half of the loss.

    Args:
        tensors: At least one. A single number has no variance, and is averaged only.
        corrected: Whether to correct.

    References:
        "Vanishing Variance Problem in Fully Decentralized Neural-Network Systems", 2024,
            https://arxiv.org/abs/2404.04616
    """
    values = torch.stack([tensor.detach().double() for tensor in tensors])
    mean = values.mean(dim=0)
    if not corrected or mean.numel() < 2:
        return mean
    target = torch.stack([value.var() for value in values]).mean()
    scale = ((target + EPSILON) / (mean.var() + EPSILON)).sqrt()
    return (mean - mean.mean()) * scale + mean.mean()


def averaged_network(first: nn.Module, second: nn.Module, *, corrected: bool = False) -> nn.Module:
    """A new network halfway between two of one architecture.

    All parameters are averaged; corrected are those of two axes and more, so neither biases nor
    norms. Buffers are the first network's.
    """
    middle = copy.deepcopy(first)
    others = dict(second.named_parameters())
    with torch.no_grad():
        for name, weight in middle.named_parameters():
            pair = (weight, others[name])
            weight.copy_(averaged(pair, corrected=corrected and weight.ndim > 1))
    return middle
