"""Outputs of single layers during a forward pass, and which dimension holds the channels."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase  # pyright: ignore[reportPrivateUsage]
from torch.utils.hooks import RemovableHandle

from zoo_eval.quantities.module_state import CONVOLUTIONS
from zoo_eval.quantities.rows_per_image import rows_per_image

_CHANNELS_FIRST = (*CONVOLUTIONS, _NormBase, nn.GroupNorm)

# In eval mode these return what they are given, so their output is another layer's.
_PASSING_ON = ("identity", "drop")


class LayerOutput(NamedTuple):
    """What a layer returned.

    Attributes:
        name: Dotted name of the layer.
        module: The layer.
        values: Its output. The first dimension holds images, or the windows of all images.
        channel_dim: Dimension of the channels: 1, or the last.
    """

    name: str
    module: nn.Module
    values: Tensor
    channel_dim: int


@contextmanager
def layer_outputs(
    model: nn.Module,
    n_images: int,
    receive: Callable[[LayerOutput], None],
    *,
    containers: bool = False,
) -> Generator[None, None, None]:
    """Hand the output of each layer to a function, while the network runs in the block.

    A layer is a module without children or with a weight of its own. If one with a weight
    holds the activation behind it as a child `act` (norms of timm), its output is what it
    gives to `act`. Identities and dropout are no layers. A layer that runs twice is handed
    over twice; what is no tensor per image is left out.

    Args:
        model: The network.
        n_images: Images that will pass.
        receive: Called at once, because a later layer may overwrite the output in place.
        containers: Hand over the outputs of all modules instead, those with children too.
    """
    channels = _Channels()

    def hand_over(name: str, module: nn.Module, values: object) -> None:
        if (
            isinstance(values, Tensor)
            and values.ndim >= 2
            and rows_per_image(len(values), n_images)
        ):
            values = values.detach()
            receive(LayerOutput(name, module, values, channels.dim(module, values)))

    def watch(name: str, module: nn.Module) -> RemovableHandle:
        inner = None if containers else getattr(module, "act", None)
        if has_weight(module) and isinstance(inner, nn.Module):
            return inner.register_forward_pre_hook(
                lambda _, inputs: hand_over(name, module, inputs[0])
            )
        return module.register_forward_hook(lambda _, __, output: hand_over(name, module, output))

    handles = [
        watch(name, module)
        for name, module in model.named_modules()
        if containers or _is_layer(module)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def has_weight(module: nn.Module) -> bool:
    """Whether a module has a weight of its own (convolutions, linear layers, norms)."""
    return isinstance(getattr(module, "weight", None), Tensor)


def _is_layer(module: nn.Module) -> bool:
    name = type(module).__name__.lower()
    passes_on = any(part in name for part in _PASSING_ON)
    return not passes_on and (has_weight(module) or not any(module.children()))


class _Channels:
    """Knows which dimension of an output holds the channels.

    Convolutions, batch and group norms put them second, as do layers with "2d" in their class
    name; linear layers, layer norms and other layers with a weight put them last. What has no
    weight (activations, pooling) goes by the layer with a weight before it, if that had as
    many dimensions and channels; else maps have them second, all others last.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[int, int]] = {}  # n dimensions → where, and how many

    def dim(self, module: nn.Module, values: Tensor) -> int:
        last = values.ndim - 1
        if has_weight(module):
            first = isinstance(module, _CHANNELS_FIRST) or "2d" in type(module).__name__.lower()
            dim = 1 if first else last
            self._seen[values.ndim] = dim, values.shape[dim]
            return dim
        dim, n_channels = self._seen.get(values.ndim, (1, -1))
        if values.shape[dim] == n_channels:
            return dim
        return 1 if values.ndim == 4 else last
