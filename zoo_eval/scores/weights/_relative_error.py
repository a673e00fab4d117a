"""How far quantised weights are from the weights."""

from collections.abc import Callable

from torch import Tensor, nn

from zoo_eval.quantities.gradients import needed_weights


def relative_error(model: nn.Module, quantised: Callable[[Tensor], Tensor]) -> float:
    """‖W − Ŵ‖² / ‖W‖² of each weight tensor, its mean over all weights.

    Raises:
        ScoreUndefinedError: the network has no convolution or linear layer.
    """
    total, n_weights = 0.0, 0
    for _, parameter in needed_weights(model):
        weight = parameter.detach()
        energy = float(weight.double().square().sum())
        if energy > 0:
            error = (weight.double() - quantised(weight).double()).square().sum()
            total += weight.numel() * float(error) / energy
        n_weights += weight.numel()
    return total / n_weights
