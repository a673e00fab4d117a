"""Plain: the signed sum of weight times gradient."""

import torch
from torch import nn

from zoo_eval.quantities.gradients import Images, Labels, WeightGradient, loss_gradients
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score


@score(unit="nats", higher_is_better=None, weights=INITIAL, cost="1 forward, 1 backward")
def plain(
    model: nn.Module,
    probe_images: Images,
    probe_labels: Labels,
    probe_gradients: tuple[WeightGradient, ...],
    *,
    mode: str = "eval",
) -> float:
    """Signed sum of weight times gradient, Σₖ wₖ ∂L/∂wₖ.

    As `snip` without the absolute value: the rate at which the loss grows when all weights
    grow alike. A layer followed by a norm does not care about its scale, so its sum is zero
    up to rounding; only the other layers, mostly the last, contribute.

    Args:
        model: The network.
        probe_images: A batch of images, shape (n, channels, height, width).
        probe_labels: Their class ids, shape (n,).
        probe_gradients: ∂L/∂W in eval mode.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the batch's own statistics.

    Returns:
        Any real number. Proportional to the loss.

    Raises:
        InputError: another `mode`.

    References:
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021,
            https://arxiv.org/abs/2101.08134 (in its program)
        Krishnakumar et al., "NAS-Bench-Suite-Zero", NeurIPS 2022,
            https://arxiv.org/abs/2210.03230
    """
    if module_mode(mode) == "train":
        probe_gradients = loss_gradients(model, probe_images, probe_labels, "train")
    return sum(
        float((layer.weight * layer.gradient).sum(dtype=torch.float64)) for layer in probe_gradients
    )
