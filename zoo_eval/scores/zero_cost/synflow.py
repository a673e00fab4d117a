"""SynFlow: synaptic flow through the network of absolute weights, without data."""

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.gradients import logits_of, needed_weights
from zoo_eval.quantities.module_state import differentiable, in_mode
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="logits",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="1 forward, 1 backward of one image in float64",
)
def synflow(
    model: nn.Module, input_shape: tuple[int, int, int], *, batch_norm: str = "bypass"
) -> float:
    """Synaptic flow, Σₖ |wₖ ∂R/∂wₖ| of the network with absolute weights.

    R is the sum of the logits of one image of ones, when all parameters and stored buffers
    are replaced by their absolute values; k runs over the weights of convolutions and linear
    layers. Computed in float64 on a copy, in eval mode.

    Programs differ in batch norm. By default it is passed by, as in the zero-cost program:
    what a timm module does beside the norm (drop, activation) is still done. All other norms
    stay in place, so for a network with them this is not the conserved flow of the paper.

    Args:
        model: The network; it is copied, not changed.
        input_shape: (channels, height, width).
        batch_norm: "bypass", or "keep": with (absolute) running statistics, as in the paper.

    Returns:
        0 (with a head of zeros, for instance) or more; up to 10³⁰⁸. Take its logarithm.

    Raises:
        InputError: another `batch_norm`.
        ScoreUndefinedError: no convolution or linear layer, or the flow is beyond float64.

    References:
        Tanaka et al., "Pruning neural networks without any data by iteratively conserving
            synaptic flow", NeurIPS 2020, Eq. (1), https://arxiv.org/abs/2006.05467
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, Section 3.2,
            https://arxiv.org/abs/2101.08134

    >>> layer = nn.Linear(3, 1)
    >>> layer.weight = nn.Parameter(torch.tensor([[1.0, -2.0, 4.0]]))
    >>> synflow(nn.Sequential(nn.Flatten(), layer), (3, 1, 1))
    7.0
    """
    if batch_norm not in ("bypass", "keep"):
        raise InputError(f"batch_norm must be 'bypass' or 'keep', but is {batch_norm!r}.")
    positive = copy.deepcopy(model).double()
    with torch.no_grad():
        for tensor in positive.state_dict().values():
            if tensor.is_floating_point():
                tensor.abs_()
    if batch_norm == "bypass":
        for module in positive.modules():
            if isinstance(module, _BatchNorm):
                module.register_forward_hook(_without_norm)
    weights = [weight for _, weight in needed_weights(positive)]
    with in_mode(positive, "eval"), differentiable(weights):
        flow = logits_of(positive, torch.ones(1, *input_shape)).sum()
        gradients = torch.autograd.grad(flow, weights, materialize_grads=True)
    total = sum(
        float((weight.detach() * gradient).abs_().sum())
        for weight, gradient in zip(weights, gradients, strict=True)
    )
    if not math.isfinite(total):
        raise ScoreUndefinedError(
            f"The synaptic flow through {len(weights)} layers came out as {total}: it, or "
            "a value on the way, passes float64's largest number, 1.8e308."
        )
    return total


def _without_norm(module: nn.Module, inputs: tuple[Tensor, ...], _: Tensor) -> Tensor:
    """What a batch norm returns when it does not normalise.

    timm's norm layers hold the dropout and activation that follow the norm. A new tensor in
    any case, as from a norm: the activation may work in place, on what others still need.
    """
    passed = inputs[0].clone()
    for name in ("drop", "act"):
        inner = getattr(module, name, None)
        if isinstance(inner, nn.Module):
            passed = inner(passed)
    return passed
