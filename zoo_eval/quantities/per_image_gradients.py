"""The gradients of single images from one pass of many, layer by layer.

In eval mode no image of a batch sees another, so at each layer the gradients Δᵢ that come back
and the inputs Aᵢ of image i alone make the gradient of the loss of image i there. A part of the
images passes the network at the full speed of large matrix products, and the gradient of one
weight for one image is made, used and overwritten before the next.

No network is trusted to keep its images apart: one image, the *witness*, passes in the first part
and again in the second, in the same place among others, where its gradient must be the same. And
what is still found on the way back to a weight is a use that was not seen (see `watched_layers`).
Otherwise the network is refused.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zoo_eval.quantities.layer_gradients import LayerCall
from zoo_eval.quantities.parts import part_of
from zoo_eval.quantities.watched_layers import NotPerImageError, WatchedLayers

# Images that pass the network together, more in bfloat16, where they take as much memory. Twice as
# many would be 4 % faster. Fixed, so that rounding does not depend on the machine's size; fewer
# only where memory was short.
_PART, _PART_BF16 = 4, 8

# Its place, and number: not the first, which stays the first where images are partly mixed up.
_WITNESS = 1

# From some images, and their numbers, to the sum of their responses, of which gradients are taken.
Respond = Callable[[Tensor, list[int]], Tensor]


@dataclass(frozen=True)
class LayerPart:
    """What the gradients of one weight for some images are made of; to be used at once.

    Attributes:
        position: Which weight.
        call: The layer's call.
        deltas: Gradients at its outputs.
        images: Numbers of the images by their place in the part.
        new: Places of those that have not passed before.
    """

    position: int
    call: LayerCall
    deltas: Tensor
    images: list[int]
    new: list[int]

    def blocks(self, place: int) -> Iterator[tuple[int, Tensor]]:
        """Pieces of one image's flat gradient, each with its start; they may be overwritten."""
        return self.call.blocks(self.deltas, len(self.images), place)


Take = Callable[[LayerPart], None]


def each_gradient(
    model: nn.Module,
    images: Tensor,
    weights: Sequence[nn.Parameter],
    respond: Respond,
    take: Take,
) -> None:
    """Pass all images forward and backward, and hand on what each weight's gradients are made of.

    Args:
        model: The network, in eval mode already.
        images: All of them.
        weights: Whose gradients are wanted. One that is not used is not handed on.
        respond: Sends images through the network.
        take: What is done with a weight and a part of the images.

    Raises:
        NotPerImageError: images cannot be told apart, or there is one only; a weight is used
            twice, or other than by a linear layer, convolution or norm whose first axis is the
            images. `take` may have been called before.
    """
    rounded = torch.is_autocast_enabled(weights[0].device.type)
    size = part_of(_PART_BF16 if rounded else _PART)
    if min(size, len(images)) <= _WITNESS:
        raise NotPerImageError("One image at a time has nothing to be told from.")
    witness = _Witness()
    for numbers, new in _parts(len(images), size):
        # Convolutions are faster in this format, depthwise ones several times.
        part = images[numbers].contiguous(memory_format=torch.channels_last)
        _one_part(model, part, numbers, new, weights, respond, take, witness)


def _parts(n: int, size: int) -> Iterator[tuple[list[int], list[int]]]:
    """Numbers of the images of each part, and places of those that are new."""
    size = min(size, n)
    yield list(range(size)), list(range(size))
    # The witness once more; around it the next ones, or where there are none other ones.
    second, new = [(place + 1) % n for place in range(size)], list[int]()
    second[_WITNESS] = _WITNESS
    after = size
    for place in range(size):
        if place != _WITNESS and after < n:
            second[place] = after
            new.append(place)
            after += 1
    yield second, new
    for first in range(after, n, size):
        numbers = list(range(first, min(first + size, n)))
        yield numbers, list(range(len(numbers)))


def _one_part(
    model: nn.Module,
    part: Tensor,
    numbers: list[int],
    new: list[int],
    weights: Sequence[nn.Parameter],
    respond: Respond,
    take: Take,
    witness: "_Witness",
) -> None:
    seen: dict[int, tuple[int, ...]] = {}

    def of_layer(position: int, call: LayerCall, deltas: Tensor) -> None:
        layer = LayerPart(position, call, deltas, numbers, new)
        seen[position] = (len(call.inputs) // len(part), *call.inputs.shape[1:])
        witness.meet(layer)
        take(layer)

    watch = WatchedLayers(weights, len(part), of_layer)
    with _only(weights, list(model.parameters())), watch:
        response = respond(part, numbers)
        if not response.requires_grad:
            raise NotPerImageError("The response does not depend on any layer that was watched.")
        found = torch.autograd.grad(response, [watch.anchor, *weights], allow_unused=True)
    if any(torch.is_tensor(gradient) for gradient in found[1:]):  # None where there is no way
        raise NotPerImageError("A weight is used other than as the weight of a layer.")
    witness.end_part(seen)


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


class _Witness:
    """Compares the gradients of one image in the first part with those in the second.

    Both are made by the same operations on tensors of the same shapes, so even bfloat16, which
    rounds an image alone quite differently, gives the same. And all parts must call the same
    layers.
    """

    def __init__(self) -> None:
        self._parts = 0
        self._gradients: dict[int, Tensor] = {}
        self._calls: dict[int, tuple[int, ...]] = {}

    def meet(self, layer: LayerPart) -> None:
        """Note a gradient of the first part, or compare one of the second."""
        if self._parts == 0:
            blocks = [block.clone() for _, block in layer.blocks(_WITNESS)]
            self._gradients[layer.position] = torch.cat(blocks)
        elif (expected := self._gradients.pop(layer.position, None)) is not None:
            # Another image's gradient is nowhere near.
            tolerance = torch.finfo(expected.dtype).eps ** 0.4 * expected.abs().max()
            for start, block in layer.blocks(_WITNESS):
                difference = (block - expected[start : start + len(block)]).abs().max()
                if not difference <= tolerance:
                    raise NotPerImageError(f"{float(difference)} is above {float(tolerance)}.")

    def end_part(self, calls: dict[int, tuple[int, ...]]) -> None:
        """Were the layers called as in the first part?"""
        if self._parts == 0:
            self._calls = calls
        if calls != self._calls:
            raise NotPerImageError("A layer was not called, or not as for the first images.")
        self._parts += 1
