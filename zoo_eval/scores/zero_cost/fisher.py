"""Fisher: how much the loss depends on each channel being there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from zoo_eval.quantities.gradients import (
    Images,
    Labels,
    mean_cross_entropy,
    needed_weights,
    streamed,
)
from zoo_eval.quantities.module_state import CONVOLUTIONS, differentiable, in_mode, module_mode
from zoo_eval.scores._score import INITIAL, score
from zoo_eval.scores.zero_cost._per_image import rows_per_image


@score(
    unit="nats²",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="1 forward, 1 backward",
)
def fisher(
    model: nn.Module, probe_images: Images, probe_labels: Labels, *, mode: str = "eval"
) -> float:
    """Summed channel sensitivity, Σₗ (weights per channel)ₗ Σ_c Δ_lc.

    Δ_lc = ½ · (1/n) Σᵢ (Σₚ a_ilcp ∂L/∂a_ilcp)² with a the output of layer l (convolutions
    and linear layers) for image i, channel c and position or token p; L is the mean
    cross-entropy of the probe batch.

    As in the published program, each channel counts once per weight that feeds it. Unlike
    there, the channel of a linear layer is the last dimension, also for (n, tokens, channels);
    the program takes the tokens for channels. Equal for convolutional networks.

    Args:
        model: The network.
        probe_images: A batch of images, shape (n, channels, height, width).
        probe_labels: Their class ids, shape (n,).
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the batch's own statistics.

    Returns:
        0 (with a head of zeros, for instance, if it has no bias) or more. Proportional to the
        square of the loss.

    Raises:
        InputError: another `mode`.
        ScoreUndefinedError: the network has no convolution or linear layer.

    References:
        Turner et al., "BlockSwap: Fisher-guided Block Substitution for Network Compression on
            a Budget", ICLR 2020, Eq. (2), https://arxiv.org/abs/1906.04113
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, Section 3.2,
            https://arxiv.org/abs/2101.08134
    """
    weights = [weight for _, weight in needed_weights(model)]
    how = module_mode(mode)
    sensitivity = 0.0
    with in_mode(model, how), differentiable(weights):
        for images, labels, share in streamed(probe_images, probe_labels, how):
            watch = _Sensitivities(model, len(images))
            try:
                with watch:
                    loss = mean_cross_entropy(model, images, labels) * share
                # Their gradients are not used: asking for them makes the backward pass visit the
                # output of every layer, where the hooks sit.
                torch.autograd.grad(loss, weights, allow_unused=True)
            finally:
                watch.remove_hooks()
            sensitivity += share * sum(watch.sensitivities)
    return sensitivity


class _Sensitivities(TorchFunctionMode):
    """Puts a gradient hook on the output of each layer while the network runs forward.

    Convolutions are caught as modules, because some of them transform their weight before
    they use it; linear layers by their weight, because timm's BEiT, EVA and Swin v2 apply
    that of their `qkv` themselves, past the module's forward.
    """

    def __init__(self, model: nn.Module, n_images: int) -> None:
        super().__init__()
        self.sensitivities: list[float] = []
        self._n_images = n_images
        self._linear = {id(m.weight) for m in model.modules() if isinstance(m, nn.Linear)}
        self._handles = [
            module.register_forward_hook(self._after_convolution)
            for module in model.modules()
            if isinstance(module, CONVOLUTIONS)
        ]

    def remove_hooks(self) -> None:
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
        # A copy, because an activation may overwrite the output in place.
        activation = output.detach().clone()

        def add(gradient: Tensor) -> None:
            products = (activation * gradient.detach()).movedim(channel_dim, -1)
            rows = rows_per_image(len(products), self._n_images) or len(products)
            per_image = products.reshape(len(products) // rows, -1, products.shape[-1]).sum(dim=1)
            delta = per_image.square().mean(dim=0) / 2
            self.sensitivities.append(weights_per_channel * float(delta.sum(dtype=torch.float64)))

        output.register_hook(add)
