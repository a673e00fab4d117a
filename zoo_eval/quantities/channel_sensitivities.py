"""How much the loss depends on each channel of each layer, noted while a pass is made."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from zoo_eval.quantities.module_state import CONVOLUTIONS
from zoo_eval.quantities.rows_per_image import rows_per_image


class OverwrittenError(Exception):
    """The output of a layer was overwritten before its gradient came back. Never shown."""


class ChannelSensitivities(TorchFunctionMode):
    """Puts a gradient hook on the output of each layer while the network runs forward.

    With Δ_c = ½ · (1/n) Σᵢ (Σₚ a_icp ∂L/∂a_icp)² for channel c of a layer's output a, image i and
    position p, it adds up (weights per channel) Σ_c Δ_c over the calls of layers. Fisher of
    Turner et al., ICLR 2020, Eq. (2), https://arxiv.org/abs/1906.04113.

    Convolutions are caught as modules, because some of them transform their weight before
    they use it; linear layers by their weight, because timm's BEiT, EVA and Swin v2 apply
    that of their `qkv` themselves, past the module's forward.

    Args:
        model: The network.
        n_images: Images that will pass.
        copies: Whether outputs are copied, as an activation may overwrite them in place; the
            backward pass raises `OverwrittenError` where a copy is missing.

    Attributes:
        total: The sum, complete after the backward pass.
    """

    def __init__(self, model: nn.Module, n_images: int, *, copies: bool) -> None:
        super().__init__()
        self.total = 0.0
        self._n_images = n_images
        self._copies = copies
        self._linear = {id(m.weight) for m in model.modules() if isinstance(m, nn.Linear)}
        self._handles = [
            module.register_forward_hook(self._after_convolution)
            for module in model.modules()
            if isinstance(module, CONVOLUTIONS)
        ]

    def remove_hooks(self) -> None:
        """Leave the network as it was."""
        for handle in self._handles:
            handle.remove()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever torch returns
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func is F.linear:
            weight: Any = args[1] if len(args) > 1 else kwargs["weight"]
            if id(weight) in self._linear:
                self._watch(result, result.ndim - 1, weight.shape[1])
        return result

    def _after_convolution(self, module: nn.Module, _: object, output: Tensor) -> None:
        weight: Any = module.weight
        self._watch(output, 1, weight.numel() // output.shape[1])

    def _watch(self, output: Tensor, channel_dim: int, weights_per_channel: int) -> None:
        if not output.requires_grad:
            return
        activation = output.detach().clone() if self._copies else output.detach()
        version = activation._version

        def add(gradient: Tensor) -> None:
            if activation._version != version:
                raise OverwrittenError
            products = (activation * gradient.detach()).movedim(channel_dim, -1)
            rows = rows_per_image(len(products), self._n_images) or len(products)
            per_image = products.reshape(len(products) // rows, -1, products.shape[-1]).sum(dim=1)
            delta = per_image.square().mean(dim=0) / 2
            self.total += weights_per_channel * float(delta.sum(dtype=torch.float64))

        output.register_hook(add)
