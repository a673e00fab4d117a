"""Log-SynFlow: synaptic flow with the gradient's logarithm, weight by weight."""

import math

import torch
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.synaptic_flow import SynapticFlow, synaptic_flow
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="weight units · nats",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="1 forward, 1 backward of one image in float64, twice for large flows",
)
def logsynflow(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    synaptic_flow_bn: SynapticFlow,
    *,
    batch_norm: str = "keep",
) -> float:
    """Synaptic flow with logarithms, Σₖ |wₖ| ln(1 + |∂R/∂wₖ|).

    R and k are those of `synflow`: the sum of the logits of one image of ones, all parameters
    and buffers in absolute value, in float64 and eval mode. Not the logarithm of `synflow`:
    the logarithm is taken per weight, so that no layer outweighs all others. Gradients beyond
    float64 are held with a power of two.

    Programs differ. FreeREA's has ln(∂R/∂w + 1), not a number where a norm makes ∂R/∂w less
    than −1; with the absolute value the two are equal wherever the program is defined and no
    gradient is negative. Auto-Prox's has |ln ∂R/∂w|, infinite for a single weight without
    gradient (behind a saturated ReLU6, say). Here such a weight adds nothing.

    Args:
        model: The network; it is copied, not changed.
        input_shape: (channels, height, width).
        synaptic_flow_bn: ∂R/∂|W| with batch norm kept.
        batch_norm: "keep", with (absolute) running statistics, or "bypass", as in `synflow`.

    Returns:
        0 (with a head of zeros, for instance) or more. Unchanged by the signs of weights.

    Raises:
        InputError: another `batch_norm`.
        ScoreUndefinedError: no convolution or linear layer; values beyond float64 meet an
            operation that needs them as they are; rounding errors decide; or gradients of
            different weights are more than 2⁹⁰⁰ apart.

    References:
        Cavagnero et al., "FreeREA: Training-Free Evolution-based Architecture Search",
            WACV 2023, https://arxiv.org/abs/2207.05135

    >>> layer = nn.Linear(3, 1)
    >>> layer.weight = nn.Parameter(torch.tensor([[1.0, -2.0, 4.0]]))
    >>> model = nn.Sequential(nn.Flatten(), layer)
    >>> round(logsynflow(model=model, input_shape=(3, 1, 1)), 6)  # 7 ln 2
    4.85203
    """
    if batch_norm not in ("keep", "bypass"):
        raise InputError(f"batch_norm must be 'keep' or 'bypass', but is {batch_norm!r}.")
    flow = synaptic_flow_bn
    if batch_norm == "bypass":
        flow = synaptic_flow(model, input_shape, batch_norm=False)
    if flow.lost:
        raise ScoreUndefinedError(
            "logsynflow needs the gradient of each weight, but some pass through terms 2^900 "
            f"times smaller than what they are added to, in a flow of 2^{flow.exponent}."
        )
    total = 0.0
    for weight, gradient in zip(flow.weights, flow.gradients, strict=True):
        log_gradient = gradient.abs().log() + flow.exponent * math.log(2)
        total += float((weight * torch.logaddexp(log_gradient, torch.zeros_like(weight))).sum())
    return total
