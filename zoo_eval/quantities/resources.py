"""What one image costs: multiply-accumulates and activations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from zoo_eval.quantities._quantity import quantity
from zoo_eval.quantities.module_state import in_mode, plain_attention

_LINEAR_MAPS: frozenset[Callable[..., Any]] = frozenset(
    {
        F.linear,
        F.conv1d,
        F.conv2d,
        F.conv3d,
        F.conv_transpose1d,
        F.conv_transpose2d,
        F.conv_transpose3d,
    }
)


@dataclass(frozen=True)
class Resources:
    """Cost of one image in one forward pass.

    Attributes:
        macs: Multiply-accumulates of convolutions and matrix products, those of attention
            included; norms, activations and pooling are not counted.
        activations: Output elements of convolutions and linear layers.
    """

    macs: int
    activations: int


@quantity
def resources(model: nn.Module, input_shape: tuple[int, int, int]) -> Resources:
    """Cost of one image of this shape, counted while a zero image passes in eval mode.

    Works on the meta device too, where nothing is computed.
    """
    like = next((w for w in model.parameters() if w.is_floating_point()), torch.empty(0))
    image = torch.zeros(1, *input_shape, device=like.device, dtype=like.dtype)
    outputs = _LinearOutputs()
    flops = FlopCounterMode(display=False)
    # Gradients stay on: without them the counter stops at a parameter that goes through a module
    # as it is, such as the class token of PiT and CaiT.
    with in_mode(model, "eval"), torch.enable_grad(), plain_attention(), flops, outputs:
        model(image)
    return Resources(flops.get_total_flops() // 2, outputs.n_elements)


def linear_outputs(model: nn.Module, images: Tensor) -> int:
    """Output elements of convolutions and linear layers, counted while images pass."""
    outputs = _LinearOutputs()
    with in_mode(model, "eval"), outputs:
        model(images)
    return outputs.n_elements


class _LinearOutputs(TorchFunctionMode):
    """Counts output elements of every call of a convolution or linear map.

    Calls, not modules: timm's BEiT, EVA and Swin v2 apply the weights of their `qkv` layer
    themselves, past the module's forward and its hooks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.n_elements = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever torch returns
        result = func(*args, **(kwargs or {}))
        if func in _LINEAR_MAPS:
            self.n_elements += result.numel()
        return result
