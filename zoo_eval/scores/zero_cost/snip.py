"""SNIP: how much the loss depends on each weight being there."""

import torch
from torch import nn

from zoo_eval.quantities.gradients import Images, Labels, WeightGradient, loss_gradients
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="nats",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="1 forward, 1 backward",
)
def snip(
    model: nn.Module,
    probe_images: Images,
    probe_labels: Labels,
    probe_gradients: tuple[WeightGradient, ...],
    *,
    mode: str = "eval",
) -> float:
    """Summed connection sensitivity, Σₖ |wₖ ∂L/∂wₖ|.

    L is the mean cross-entropy of the probe batch; k runs over the weights of convolutions
    and linear layers.

    The paper differentiates with respect to a mask m multiplied onto the weights, at m = 1;
    that derivative is wₖ ∂L/∂wₖ, so no layer has to be replaced, and layers that transform
    their weights first (weight standardisation) are right too. The paper then divides by the
    sum to rank weights of one network; as in the zero-cost literature, the sum is the score.

    Args:
        model: The network.
        probe_images: A batch of images, shape (n, channels, height, width).
        probe_labels: Their class ids, shape (n,).
        probe_gradients: ∂L/∂W in eval mode.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the batch's own statistics.

    Returns:
        0 (with a head of zeros, for instance) or more. Proportional to the loss.

    Raises:
        InputError: another `mode`.

    References:
        Lee et al., "SNIP: Single-shot Network Pruning based on Connection Sensitivity",
            ICLR 2019, Eq. (4), https://arxiv.org/abs/1810.02340
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, Section 3.2,
            https://arxiv.org/abs/2101.08134
    """
    if module_mode(mode) == "train":
        probe_gradients = loss_gradients(model, probe_images, probe_labels, "train")
    return sum(
        float((layer.weight * layer.gradient).abs_().sum(dtype=torch.float64))
        for layer in probe_gradients
    )
