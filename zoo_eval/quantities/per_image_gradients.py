"""The gradients of single images from one pass of many, layer by layer.

In eval mode no image of a batch sees another, so at each layer the gradients Δᵢ that come back
and the inputs Aᵢ of image i alone make the gradient of the loss of image i there. A batch passes
the network at the full speed of large matrix products, and the gradient of one weight for one
image is made, used and overwritten before the next.

While the network runs, calls of linear layers and convolutions are watched. Each gets its weight
without the way back to it, so torch computes no gradient of the weight summed over images, and a
hook on the output takes Δ. What is still found on the way back to a weight is a use that was not
seen, and the network is refused, as it is where images cannot be told apart.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from zoo_eval.quantities.gradients import Images, Labels, mean_cross_entropy
from zoo_eval.quantities.layer_gradients import ConvolutionCall, LayerCall, LinearCall

# What is done with a layer's call and the gradients at its outputs; first, which weight it is.
Take = Callable[[int, LayerCall, Tensor], None]

_DIMENSIONS: dict[Callable[..., Tensor], int] = {F.conv1d: 1, F.conv2d: 2, F.conv3d: 3}
_LINEAR = ("input", "weight", "bias")
_CONVOLUTION = (*_LINEAR, "stride", "padding", "dilation", "groups")


class NotPerImageError(Exception):
    """The gradients of single images cannot be told from one pass of many. Never shown."""


def backward_per_image(
    model: nn.Module, images: Images, labels: Labels, weights: Sequence[Tensor], take: Take
) -> None:
    """Pass a batch forward and backward, and hand on what each layer's weight has met.

    The network is in eval mode already. `take` may use the tensors only while it runs. A weight
    that is not used, or that the loss does not depend on, is not handed on.

    Raises:
        NotPerImageError: a weight is used twice, or other than by a linear layer or convolution
            whose first axis is the images.
        InputError: a label that the network's head does not have.
    """
    watch = _Watch(weights, len(images), take)
    with _only(weights, list(model.parameters())), watch:
        loss = mean_cross_entropy(model, images, labels) * len(images)
        if not loss.requires_grad:
            raise NotPerImageError("The loss does not depend on any layer that was watched.")
        found = torch.autograd.grad(loss, [watch.anchor, *weights], allow_unused=True)
    if any(torch.is_tensor(gradient) for gradient in found[1:]):  # None where there is no way
        raise NotPerImageError("A weight is used other than as the weight of a layer.")


@contextmanager
def _only(wanted: Sequence[Tensor], parameters: Sequence[Tensor]) -> Generator[None, None, None]:
    """Record gradients of these tensors and of no other parameter."""
    before = [(tensor, tensor.requires_grad) for tensor in (*wanted, *parameters)]
    try:
        with torch.enable_grad():
            for tensor in parameters:
                tensor.requires_grad_(False)
            for tensor in wanted:
                tensor.requires_grad_(True)
            yield
    finally:
        for tensor, requires_grad in before:
            tensor.requires_grad_(requires_grad)


class _Watch(TorchFunctionMode):
    def __init__(self, weights: Sequence[Tensor], n_images: int, take: Take) -> None:
        super().__init__()
        self.anchor = torch.zeros((), device=weights[0].device, requires_grad=True)
        self._positions = {id(weight): position for position, weight in enumerate(weights)}
        self._seen: set[int] = set()
        self._n_images = n_images
        self._take = take

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever torch returns
        kwargs = kwargs or {}
        if func is F.linear or func in _DIMENSIONS:
            names = _LINEAR if func is F.linear else _CONVOLUTION
            arguments: dict[str, Any] = {**dict(zip(names, args, strict=False)), **kwargs}
            position = self._positions.get(id(arguments["weight"]))
            if position is not None and torch.is_grad_enabled():
                return self._watched(func, arguments, position)
        return func(*args, **kwargs)

    def _watched(
        self, func: Callable[..., Tensor], arguments: dict[str, Any], position: int
    ) -> Tensor:
        if position in self._seen:
            raise NotPerImageError("A weight is used twice.")
        self._seen.add(position)
        inputs = arguments["input"]
        arguments["weight"] = arguments["weight"].detach()
        if func is F.linear:
            call: LayerCall = LinearCall(inputs.detach())
        else:
            call = _convolution(_DIMENSIONS[func], arguments)
        if inputs.ndim < 2 or len(inputs) == 0 or len(inputs) % self._n_images:
            raise NotPerImageError(f"{self._n_images} images met a layer as {inputs.shape}.")
        outputs = func(**arguments)
        if not outputs.requires_grad:  # the first layer: what follows is to have a way back
            outputs = outputs + self.anchor
        version = inputs._version

        def came_back(deltas: Tensor) -> None:
            if inputs._version != version:
                raise NotPerImageError("The input of a layer was overwritten.")
            self._take(position, call.in_dtype(deltas.dtype), deltas)

        outputs.register_hook(came_back)
        return outputs


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
