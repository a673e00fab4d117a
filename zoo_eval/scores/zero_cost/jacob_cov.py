"""Jacobian covariance: do different images pull the network in different directions?"""

import torch
from torch import nn

from zoo_eval.errors import InputError
from zoo_eval.quantities.gradients import Images
from zoo_eval.quantities.input_gradients import InputGradients, summed_logit_gradients
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score
from zoo_eval.scores.zero_cost._input_correlations import input_correlations

# Of the published program; bounds what a repeated image can cost to about 1e5.
_EPSILON = 1e-5


@score(
    unit="dimensionless",
    higher_is_better=True,
    bounds=(float("-inf"), -2.0),
    weights=INITIAL,
    cost="1 forward, 1 backward",
)
def jacob_cov(
    model: nn.Module, probe_images: Images, input_gradients: InputGradients, *, mode: str = "eval"
) -> float:
    """Spread of the correlation of input gradients, −Σⱼ [ln(λⱼ + ε) + 1/(λⱼ + ε)].

    λⱼ are the eigenvalues of the n × n Pearson correlation matrix of the rows Jᵢ, the
    gradient of the sum of image i's logits with respect to that image's pixels; ε = 10⁻⁵.
    Gradients come in the network's precision; the rest is float64.

    Args:
        model: The network.
        probe_images: n ≥ 2 images, shape (n, channels, height, width). The value is about
            −n, so only values with the same n compare.
        input_gradients: The rows Jᵢ in eval mode.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            makes an image's logits depend on the others.

    Returns:
        At most −n (no two images alike); about −10⁵ for each image that repeats another.
        With many pixels it lies close to −n for almost every network. Unchanged by the order
        of the images and by the scale of the logits.

    Raises:
        InputError: fewer than two images, or another `mode`.
        ScoreUndefinedError: an image's gradient is the same for all its pixels (zero, say:
            the head's weights are), so it has no correlation; or a gradient is not finite.

    References:
        Mellor et al., "Neural Architecture Search without Training", first version, 2020,
            https://arxiv.org/abs/2006.04647v1
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, Section 3.2,
            https://arxiv.org/abs/2101.08134
    """
    if len(probe_images) < 2:
        raise InputError(f"jacob_cov compares images, but got {len(probe_images)} of them.")
    if module_mode(mode) == "train":
        input_gradients = summed_logit_gradients(model, probe_images, "train")
    correlations = input_correlations(input_gradients.rows, "jacob_cov")
    eigenvalues = torch.linalg.eigvalsh(correlations) + _EPSILON
    return -float((eigenvalues.log() + 1 / eigenvalues).sum())
