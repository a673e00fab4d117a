"""A convolution whose second derivative costs what its parts cost.

For the gradient of an input gradient by the weight, torch convolves the input with the whole map of
gradients as kernel: a third of a double backward pass of ResNet-50. It is the gradient of a weight
once more, for which there are fast kernels.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

# Of torch's convolution: strides, paddings, dilations, whether transposed, output paddings, groups.
Geometry = tuple[list[int], list[int], list[int], bool, list[int], int]


class Convolution(Function):
    """Y = X ∗ W."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(x, weight)
        ctx.geometry = geometry
        return torch.ops.aten.convolution(x, weight, None, *geometry)

    @staticmethod
    def backward(ctx: Any, *deltas: Tensor) -> tuple[Tensor | None, Tensor | None, None]:  # noqa: ANN401
        x, weight = ctx.saved_tensors
        of_x = of_weight = None
        if ctx.needs_input_grad[0]:
            of_x = _InputGradient.apply(deltas[0], x, weight, ctx.geometry)
        if ctx.needs_input_grad[1]:
            of_weight = _gradients(deltas[0], x, weight, ctx.geometry, of_x=False)
        return of_x, of_weight, None


class _InputGradient(Function):
    """∂L/∂X for ∂L/∂Y and W, and its own derivatives."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, delta: Tensor, x: Tensor, weight: Tensor, geometry: Geometry
    ) -> Tensor:
        ctx.save_for_backward(delta, weight)
        ctx.geometry = geometry  # pyright: ignore[reportAttributeAccessIssue]
        return _gradients(delta, x, weight, geometry, of_x=True)

    @staticmethod
    def backward(ctx: Any, *along: Tensor) -> tuple[Tensor, None, Tensor, None]:  # noqa: ANN401
        delta, weight = ctx.saved_tensors
        of_delta = torch.ops.aten.convolution(along[0], weight, None, *ctx.geometry)
        return of_delta, None, _gradients(delta, along[0], weight, ctx.geometry, of_x=False), None


def _gradients(
    delta: Tensor, x: Tensor, weight: Tensor, geometry: Geometry, *, of_x: bool
) -> Tensor:
    wanted = [of_x, not of_x, False]
    found = torch.ops.aten.convolution_backward(delta, x, weight, None, *geometry, wanted)
    return found[0 if of_x else 1]
