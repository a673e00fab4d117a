"""Watches the layers of a network while it runs, for what their weights' gradients are made of.

Calls of linear layers, convolutions and norms are watched. Each gets its weight without the way
back to it, so torch computes no gradient of the weight summed over images, and a hook on the
output takes the gradients there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from zoo_eval.quantities.layer_gradients import (
    ConvolutionCall,
    LayerCall,
    LinearCall,
    ScaleCall,
)

# What is done with a layer's call and the gradients at its outputs; first, which weight it is.
Take = Callable[[int, LayerCall, Tensor], None]
Layer = Callable[..., Tensor]

_DIMENSIONS: dict[Layer, int] = {F.conv1d: 1, F.conv2d: 2, F.conv3d: 3}
_AFFINE = ("weight", "bias")
_LINEAR = ("input", *_AFFINE)
_CONVOLUTION = (*_LINEAR, "stride", "padding", "dilation", "groups")
# Names of the arguments of each layer, in their order.
_ARGUMENTS: dict[Layer, tuple[str, ...]] = {
    F.linear: _LINEAR,
    **dict.fromkeys(_DIMENSIONS, _CONVOLUTION),
    F.batch_norm: ("input", "running_mean", "running_var", *_AFFINE, "training", "momentum", "eps"),
    F.layer_norm: ("input", "normalized_shape", *_AFFINE, "eps"),
    F.group_norm: ("input", "num_groups", *_AFFINE, "eps"),
}


class NotPerImageError(Exception):
    """The gradients of single images cannot be told from one pass of many. Never shown."""


class WatchedLayers(TorchFunctionMode):
    """A context in which a network runs and its layers are watched.

    Args:
        weights: Those to be watched; others are left alone.
        n_images: Images that will pass.
        take: Called in the backward pass; may use the tensors only while it runs.

    Attributes:
        anchor: Zero, added where the output of a layer has no way back; there is none to the
            layers before it else.
    """

    def __init__(self, weights: Sequence[Tensor], n_images: int, take: Take) -> None:
        super().__init__()
        self.anchor = torch.zeros((), device=weights[0].device, requires_grad=True)
        self._positions = {id(weight): position for position, weight in enumerate(weights)}
        self._seen: set[int] = set()
        self._n_images = n_images
        self._take = take

    def __torch_function__(
        self,
        func: Layer,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever torch returns
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            return _exactly(func, args, kwargs)
        names = _ARGUMENTS.get(func)
        if names is not None and torch.is_grad_enabled():
            arguments: dict[str, Any] = {**dict(zip(names, args, strict=False)), **kwargs}
            position = self._positions.get(id(arguments.get("weight")))
            if position is not None:
                return self._watched(func, arguments, position)
        return func(*args, **kwargs)

    def _watched(self, func: Layer, arguments: dict[str, Any], position: int) -> Tensor:
        if position in self._seen:
            raise NotPerImageError("A weight is used twice.")
        self._seen.add(position)
        inputs = arguments["input"]
        arguments["weight"] = arguments["weight"].detach()
        if inputs.ndim < 2 or len(inputs) == 0 or len(inputs) % self._n_images:
            raise NotPerImageError(f"{self._n_images} images met a layer as {inputs.shape}.")
        if func is F.linear:
            call, outputs = LinearCall(inputs.detach()), func(**arguments)
        elif func in _DIMENSIONS:
            call = _convolution(_DIMENSIONS[func], arguments)
            in_groups = arguments.get("groups", 1) > 1
            outputs = _exactly(func, (), arguments) if in_groups else func(**arguments)
        else:
            call, outputs = _normalised(func, arguments)
        if not outputs.requires_grad:  # the first layer: what follows is to have a way back
            outputs = outputs + self.anchor
        watched = call.inputs
        version = watched._version

        def came_back(deltas: Tensor) -> None:
            if watched._version != version:
                raise NotPerImageError("The input of a layer was overwritten.")
            self._take(position, call.in_dtype(deltas.dtype), deltas)

        outputs.register_hook(came_back)
        return outputs


def _exactly(func: Layer, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
    """What a function gives in float32 on a processor, whose bfloat16 has no fast gradients there.

    Those at the inputs of a depthwise convolution in steps of two (4 images, 96 channels of
    112 × 112) take 73 in place of 4 ms, attention and its gradients (8 images, 6 heads of 197
    tokens) 39 in place of 26.
    """
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
    device = tensors[0].device.type
    if device != "cpu" or not torch.is_autocast_enabled(device):
        return func(*args, **kwargs)

    def exact(value: object) -> object:
        if isinstance(value, Tensor) and value.dtype == torch.bfloat16:
            return value.float()
        return value

    with torch.autocast(device, enabled=False):
        return func(*map(exact, args), **{name: exact(value) for name, value in kwargs.items()})


def _convolution(n_dimensions: int, arguments: dict[str, Any]) -> ConvolutionCall:
    def sizes(name: str, default: int) -> tuple[int, ...]:
        value = arguments.get(name, default)
        if isinstance(value, str):
            raise NotPerImageError(f"A convolution is padded by {value!r}.")
        size = (value,) if isinstance(value, int) else tuple(value)
        return size * n_dimensions if len(size) == 1 else size

    if arguments["input"].ndim != n_dimensions + 2:
        raise NotPerImageError("A convolution sees one image without an axis of images.")
    return ConvolutionCall(
        arguments["input"].detach(),
        arguments["weight"],
        sizes("stride", 1),
        sizes("padding", 0),
        sizes("dilation", 1),
        arguments.get("groups", 1),
    )


def _normalised(func: Layer, arguments: dict[str, Any]) -> tuple[ScaleCall, Tensor]:
    """A norm in two steps, x̂ and x̂γ + β, as the gradient of γ is made of x̂."""
    if arguments.get("training"):
        raise NotPerImageError("A batch norm sees the images of a batch together.")
    scale, shift = arguments["weight"], arguments.get("bias")
    normalised = func(**(arguments | {"weight": None, "bias": None}))
    # Features are the last axes of a layer norm, and axis 1 of the others.
    n_after = 0 if func is F.layer_norm else normalised.ndim - 2
    shape = (*(1,) * (normalised.ndim - scale.ndim - n_after), *scale.shape, *(1,) * n_after)
    scale = scale.view(shape)
    call = ScaleCall(normalised.detach(), shape)
    if shift is None:
        return call, normalised * scale
    return call, torch.addcmul(shift.view(shape), normalised, scale)
