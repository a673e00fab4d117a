"""The gradient of one layer's weight for every image of a batch, a cache-sized block at a time.

A linear layer Y = A Wᵀ that sees T tokens of an image has the gradient ΔᵀA there, for the T × in
tokens A and the T × out gradients Δ at its outputs. A convolution is the same product, with the
patches under its kernel as tokens. Two kinds are not worth a product. Where an image has more
positions than a patch has elements, as in first layers, copying the pixels into patches takes
longer than torch's own gradient. And of a depthwise convolution the gradient is each channel of
the image correlated with that channel of Δ: a convolution whose kernel is Δ, where the layer's own
kernel is wide, else torch's. What remains (other groups, other than two dimensions) is left to
torch. The scale of a norm needs no product of matrices either.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

Tokens = Float[Tensor, "tokens n_in"]
Deltas = Float[Tensor, "tokens n_out"]

# Elements of a gradient that are made and used up before the next ones: 1 MB stays in the cache.
_BLOCK = 1 << 18

# Width of a depthwise kernel up to which torch's own gradient is faster than correlating: of 4
# images with 144 channels of 56 × 56 positions 1.4 in place of 5.7 ms for width 3; with 240 of
# 28 × 28 7.1 in place of 2.5 for width 5, in bfloat16 37 in place of 2.5 (one AVX-512 core).
_NARROW = 3


@dataclass(frozen=True)
class LinearCall:
    """A call of a linear layer; the first axis of the inputs is images, or images × windows."""

    inputs: Tensor

    def in_dtype(self, dtype: torch.dtype) -> "LinearCall":
        """As autocast rounded the inputs for the product."""
        return LinearCall(self.inputs.to(dtype))

    def blocks(self, deltas: Tensor, n_images: int, image: int) -> Iterator[tuple[int, Tensor]]:
        """Pieces of an image's flat gradient, each with its start; they may be overwritten."""
        tokens = self.inputs.reshape(n_images, -1, self.inputs.shape[-1])
        yield from _product(deltas.reshape(n_images, -1, deltas.shape[-1])[image], tokens[image])

    def factors(self, deltas: Tensor, n_images: int) -> tuple[Deltas, Tokens] | None:
        """(Δ, A) of all images if each has one token, so that its gradient is an outer product."""
        if self.inputs.numel() != n_images * self.inputs.shape[-1]:
            return None
        return deltas.reshape(n_images, -1), self.inputs.reshape(n_images, -1)


@dataclass(frozen=True)
class ConvolutionCall:
    """A call of a convolution in one to three dimensions; arguments as torch's."""

    inputs: Tensor
    weight: Tensor
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    def in_dtype(self, dtype: torch.dtype) -> "ConvolutionCall":
        """As autocast rounded the inputs and the weight for the product."""
        return replace(self, inputs=self.inputs.to(dtype), weight=self.weight.to(dtype))

    def blocks(self, deltas: Tensor, n_images: int, image: int) -> Iterator[tuple[int, Tensor]]:
        """Pieces of an image's flat gradient, each with its start; they may be overwritten."""
        each = len(self.inputs) // n_images
        inputs = self.inputs[image * each : (image + 1) * each]
        deltas = deltas[image * each : (image + 1) * each]
        if self._is_product(deltas):
            rows = deltas.permute(0, 2, 3, 1).reshape(-1, deltas.shape[1])
            yield from _product(rows, self._patches(inputs, deltas.shape[2:]))
            return
        is_wide = max(self.weight.shape[2:]) > _NARROW
        correlates = self._is_depthwise and is_wide and each == 1
        gradient = (self._correlation if correlates else self._by_torch)(inputs, deltas)
        yield 0, gradient.reshape(-1)

    def factors(self, deltas: Tensor, n_images: int) -> tuple[Deltas, Tokens] | None:
        """(Δ, A) of all images if each has one token, so that its gradient is an outer product."""
        pointwise = self._is_dense and self.weight[0, 0].numel() == 1 and not any(self.padding)
        if not pointwise or self.inputs.numel() != n_images * self.inputs.shape[1]:
            return None
        return deltas.reshape(n_images, -1), self.inputs.reshape(n_images, -1)

    @property
    def _is_dense(self) -> bool:
        return self.groups == 1 and self.weight.ndim == 4

    def _is_product(self, deltas: Tensor) -> bool:
        """Whether the weight is dense and its patches are worth being copied."""
        is_pointwise = self.weight[0, 0].numel() == 1
        return self._is_dense and (is_pointwise or deltas[0, 0].numel() <= self.weight[0].numel())

    @property
    def _is_depthwise(self) -> bool:
        return self.weight.ndim == 4 and self.groups == len(self.weight) == self.inputs.shape[1]

    def _patches(self, inputs: Tensor, grid: torch.Size) -> Tokens:
        """What lies under the kernel, one row per position."""
        down, right = self.padding
        padded = F.pad(inputs, (right, right, down, down)) if down or right else inputs
        maps = padded.permute(0, 2, 3, 1)
        (_, _, height, width), steps = self.weight.shape, self.stride
        if height == width == 1:
            return maps[:, :: steps[0], :: steps[1]].reshape(-1, inputs.shape[1])
        maps = maps.contiguous()
        n, y, x, channel = maps.stride()
        shape = (len(maps), *grid, height, width, inputs.shape[1])
        strides = (y * steps[0], x * steps[1], y * self.dilation[0], x * self.dilation[1])
        patches = maps.as_strided(shape, (n, *strides, channel))
        return patches.reshape(-1, height * width * inputs.shape[1])

    def _correlation(self, inputs: Tensor, deltas: Tensor) -> Tensor:
        """Of one image, depthwise: steps of the forward convolution are gaps in the kernel Δ."""
        # In torch's default memory format this is up to five times faster than channels last.
        kernel = deltas[0].unsqueeze(1).contiguous()
        found = F.conv2d(
            inputs.contiguous(), kernel, None, self.dilation, self.padding, self.stride, self.groups
        )
        _, _, height, width = self.weight.shape
        return found[0, :, None, :height, :width]

    def _by_torch(self, inputs: Tensor, deltas: Tensor) -> Tensor:
        only_weight = [False, True, False]
        flags = (None, self.stride, self.padding, self.dilation, False, [0], self.groups)
        return torch.ops.aten.convolution_backward(
            deltas, inputs, self.weight, *flags, only_weight
        )[1]


@dataclass(frozen=True)
class ScaleCall:
    """A call of a norm, which gives x̂γ + β: the gradient of γ is Δx̂, summed over positions.

    Attributes:
        inputs: x̂.
        shape: That of γ among the axes of x̂.
    """

    inputs: Tensor
    shape: tuple[int, ...]

    def in_dtype(self, dtype: torch.dtype) -> "ScaleCall":
        """As autocast rounded them."""
        return replace(self, inputs=self.inputs.to(dtype))

    def blocks(self, deltas: Tensor, n_images: int, image: int) -> Iterator[tuple[int, Tensor]]:
        """An image's flat gradient, which starts at 0."""
        each = len(self.inputs) // n_images
        rows = slice(image * each, (image + 1) * each)
        yield 0, (self.inputs[rows] * deltas[rows]).sum_to_size(self.shape).reshape(-1)

    def factors(self, deltas: Tensor, n_images: int) -> None:
        """No image's gradient is an outer product."""
        del deltas, n_images


LayerCall = LinearCall | ConvolutionCall | ScaleCall


def _product(deltas: Deltas, tokens: Tokens) -> Iterator[tuple[int, Tensor]]:
    """Blocks of rows of ΔᵀA."""
    n_out, n_in = deltas.shape[1], tokens.shape[1]
    at_once = max(1, _BLOCK // n_in) if tokens.device.type == "cpu" else n_out
    buffer = tokens.new_empty(min(at_once, n_out), n_in)
    for start in range(0, n_out, at_once):
        rows = deltas[:, start : start + at_once].T
        yield start * n_in, torch.mm(rows, tokens, out=buffer[: len(rows)]).view(-1)
