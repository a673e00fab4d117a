"""GradSign per weight, which does not grow with the network."""

from torch import nn

from zoo_eval.quantities.gradient_signs import GradientSigns, sign_agreement
from zoo_eval.quantities.gradients import Images, Labels
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="signs per weight",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="n forward and backward of one image",
)
def gradsign_mean(
    model: nn.Module,
    probe_images: Images,
    probe_labels: Labels,
    gradient_signs: GradientSigns,
    *,
    mode: str = "eval",
) -> float:
    """Mean agreement of gradient signs per weight, (1/K) Σₖ |Σᵢ sign(∂ℓᵢ/∂wₖ)|.

    `gradsign` divided by the number K of weights of convolutions and linear layers, unused
    ones counted. Both occur in the authors' programs; the paper's Algorithm 1 has the sum.

    Args:
        model: The network.
        probe_images: n images, shape (n, channels, height, width). The value grows with n,
            so only values with the same n compare.
        probe_labels: Their class ids, shape (n,).
        gradient_signs: The agreement in eval mode.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            normalises each image by itself. The eval passes are made all the same.

    Returns:
        From 0 to n (all images agree on every weight); about √(2n/π) for random signs.

    Raises:
        InputError: another `mode`.
        ScoreUndefinedError: a gradient is NaN; or, in paper mode, a batch norm after global
            pooling: one image gives it one value per channel.

    References:
        Zhang and Jia, "GradSign: Model Performance Inference with Theoretical Insights",
            ICLR 2022, Algorithm 1, https://arxiv.org/abs/2110.08616
    """
    if module_mode(mode) == "train":
        gradient_signs = sign_agreement(model, probe_images, probe_labels, "train")
    return gradient_signs.agreement / gradient_signs.n_weights
