"""Gradient norm, a zero-cost score of the first step of training."""

import torch
from torch import nn

from zoo_eval.quantities.gradients import Images, Labels, WeightGradient, loss_gradients
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="nats per weight unit",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="1 forward, 1 backward",
)
def grad_norm(
    model: nn.Module,
    probe_images: Images,
    probe_labels: Labels,
    probe_gradients: tuple[WeightGradient, ...],
    *,
    mode: str = "eval",
) -> float:
    """Sum over layers of the norm of the loss gradient, Σₗ ‖∂L/∂Wₗ‖₂.

    L is the mean cross-entropy of the probe batch; l runs over convolutions and linear
    layers, weights only.

    Three numbers go by this name. This is the paper's sum of one norm per layer; ZenNAS and
    AZ-NAS take the norm of all parameters' gradients together, on random labels.

    Args:
        model: The network.
        probe_images: A batch of images, shape (n, channels, height, width).
        probe_labels: Their class ids, shape (n,).
        probe_gradients: ∂L/∂W in eval mode.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the batch's own statistics.

    Returns:
        0 (a loss that no weight changes: a head of zeros stops all but its own gradient) or
        more. Proportional to the loss.

    Raises:
        InputError: another `mode`.

    References:
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, Section 3.2,
            https://arxiv.org/abs/2101.08134
    """
    if module_mode(mode) == "train":
        probe_gradients = loss_gradients(model, probe_images, probe_labels, "train")
    return sum(
        float(torch.linalg.vector_norm(layer.gradient, dtype=torch.float64))
        for layer in probe_gradients
    )
