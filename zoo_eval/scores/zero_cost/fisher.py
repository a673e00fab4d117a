"""Fisher: how much the loss depends on each channel being there."""

from torch import nn

from zoo_eval.quantities.gradients import Images, Labels, LossPass, loss_pass
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="nats²",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="1 forward, 1 backward",
)
def fisher(
    model: nn.Module,
    probe_images: Images,
    probe_labels: Labels,
    probe_pass: LossPass,
    *,
    mode: str = "eval",
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
        probe_pass: The sum in eval mode.
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
    if module_mode(mode) == "train":
        probe_pass = loss_pass(model, probe_images, probe_labels, "train")
    return probe_pass.sensitivity
