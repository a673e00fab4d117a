"""Gradients of the network of absolute weights at an image of ones, whatever their size."""

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities._quantity import quantity
from zoo_eval.quantities.gradients import logits_of, needed_weights
from zoo_eval.quantities.module_state import Mode, differentiable, in_mode, plain_attention
from zoo_eval.quantities.scaled_arithmetic import ARITHMETIC
from zoo_eval.quantities.scaled_layers import LAYERS
from zoo_eval.quantities.scaled_tensors import ScaledTensors

RULES = {**ARITHMETIC, **LAYERS}

# Below it a flow may have lost digits on the way, and is computed again with scales.
_SMALLEST = 1e-290

# Attention turns the rounding errors of scores above 10⁹ into weights. Larger flows are
# computed again with all weights changed by up to _NUDGE of themselves. A chain of L layers
# changes by L · _NUDGE then; noise by more than _NOISE.
_LARGE = 1e9
_NUDGE = 1e-13
_NOISE = 1e-3


@dataclass(frozen=True)
class SynapticFlow:
    """∂R/∂|W| for each weight tensor |W| of a convolution or linear layer.

    Attributes:
        names: Dotted name of each weight.
        parameters: The network's own weights.
        gradients: ∂R/∂|W| divided by 2^exponent.
        exponent: One whole number for all; 0 if everything fits into float64.
        lost: Whether small gradients may have become zero next to others of 2⁹⁰⁰ their size.
    """

    names: tuple[str, ...]
    parameters: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...]
    exponent: int
    lost: bool

    @property
    def weights(self) -> Iterator[Tensor]:
        """Absolute weights, float64, made one after another: they would be two more copies."""
        return (parameter.double().abs() for parameter in self.parameters)

    @cached_property
    def total(self) -> float:
        """Σₖ |wₖ ∂R/∂wₖ| divided by 2^exponent."""
        pairs = zip(self.weights, self.gradients, strict=True)
        return sum((float((w * g).abs().sum()) for w, g in pairs), start=0.0)

    def log_total(self, score_name: str) -> float:
        """Natural logarithm of Σₖ |wₖ ∂R/∂wₖ|.

        Raises:
            ScoreUndefinedError: the sum is zero.
        """
        if self.total == 0:
            raise ScoreUndefinedError(
                f"{score_name} is the logarithm of a flow, but the flow through "
                f"{len(self.parameters)} layers is zero. Are the weights of the classifier zero at "
                "initialisation?"
            )
        return math.log(self.total) + self.exponent * math.log(2)


@quantity
def synaptic_flow_bn(model: nn.Module, input_shape: tuple[int, int, int]) -> SynapticFlow:
    """The flow of the network as it runs: batch norm stays, with its running statistics."""
    return synaptic_flow(model, input_shape, batch_norm=True)


def synaptic_flow(
    model: nn.Module, input_shape: tuple[int, int, int], *, batch_norm: bool, mode: Mode = "eval"
) -> SynapticFlow:
    """∂R/∂|W| where R is the sum of the logits of one image of ones.

    All parameters and stored buffers are replaced by their absolute values, on a copy in
    float64. Computed plainly where everything fits into float64, with `ScaledTensors` else.

    Args:
        model: The network; it is copied, not changed.
        input_shape: (channels, height, width).
        batch_norm: Whether batch norm stays. If not, what a timm module does beside the norm
            (drop, activation) is still done.
        mode: Mode of the modules.

    Raises:
        ScoreUndefinedError: no convolution or linear layer; or values beyond float64 meet an
            operation that cannot be scaled; or the flow is made of rounding errors; or, in
            train mode, a batch norm sees one value per channel.
    """
    parameters = tuple(weight.detach() for _, weight in needed_weights(model))
    positive = copy.deepcopy(model).double().requires_grad_(False)
    with torch.no_grad():
        for tensor in positive.state_dict().values():
            if tensor.is_floating_point():
                tensor.abs_()
    if not batch_norm:
        for module in positive.modules():
            if isinstance(module, _BatchNorm):
                module.register_forward_hook(_without_norm)
    image = torch.ones(1, *input_shape)
    flow = _scaled_if_needed(positive, parameters, image, mode)
    if flow.total > 0 and (flow.exponent or flow.total > _LARGE):
        _check_conditioning(positive, image, mode, flow)
    return flow


def _scaled_if_needed(
    positive: nn.Module, parameters: tuple[Tensor, ...], image: Tensor, mode: Mode
) -> SynapticFlow:
    with in_mode(positive, mode):
        plain = _flow(positive, parameters, image, None)
    if math.isfinite(plain.total) and plain.total > _SMALLEST:
        return plain
    with in_mode(positive, mode):
        scaled = _flow(positive, parameters, image, ScaledTensors(RULES))
    if not math.isfinite(scaled.total):
        raise ScoreUndefinedError(
            f"The synaptic flow through {len(scaled.parameters)} layers came out as "
            f"{scaled.total} times 2^{scaled.exponent}, even with values scaled on the way."
        )
    return scaled


def _check_conditioning(positive: nn.Module, image: Tensor, mode: Mode, flow: SynapticFlow) -> None:
    """Refuse a flow that rounding errors decide; changes the weights of the copy.

    Raises:
        ScoreUndefinedError: it changes by more than 0.1 % if the weights change by 10⁻¹³.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in positive.parameters():
            nudge = torch.rand(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.mul_(1 + _NUDGE * nudge.to(parameter.device))
    nudged = _scaled_if_needed(positive, flow.parameters, image, mode)
    before, after = flow.log_total("this score"), nudged.log_total("this score")
    if abs(after - before) > _NOISE:
        raise ScoreUndefinedError(
            f"The synaptic flow is made of rounding errors: its logarithm is {before:.3f}, but "
            f"{after:.3f} with weights changed by 1e-13 of themselves. Does attention see scores "
            "that float64 cannot tell apart?"
        )


def _flow(
    positive: nn.Module,
    parameters: tuple[Tensor, ...],
    image: Tensor,
    scales: ScaledTensors | None,
) -> SynapticFlow:
    named = needed_weights(positive)
    weights = [weight for _, weight in named]
    with differentiable(weights), plain_attention():
        try:
            if scales is None:
                response = logits_of(positive, image).sum()
            else:
                with scales:
                    response = logits_of(positive, image).sum()
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise ScoreUndefinedError(
                f"One image cannot pass this network in train mode: {error}. Use mode='eval'."
            ) from error
        gradients = torch.autograd.grad(response, weights, materialize_grads=True)
    return SynapticFlow(
        names=tuple(name for name, _ in named),
        parameters=parameters,
        gradients=gradients,
        exponent=0 if scales is None else scales.exponent(response),
        lost=scales is not None and scales.lost,
    )


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
