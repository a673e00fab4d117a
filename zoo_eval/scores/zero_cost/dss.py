"""DSS, synaptic diversity and saliency of a vision transformer."""

import math

import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.synaptic_flow import SynapticFlow
from zoo_eval.scores._score import INITIAL, score

_ATTENTION_NAMES = ("attention", "attn", "xca", "gpsa", "mhsa")


@score(
    unit="logits",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="1 forward, 1 backward of one image in float64, 2 singular spectra per attention layer",
)
def dss(model: nn.Module, synaptic_flow_bn: SynapticFlow) -> float:
    """Synaptic diversity of attention plus synaptic saliency of the other linear layers.

    DSS = Σ_A ‖∂R/∂W‖₊ ‖W‖₊ + Σ_M Σₖ |wₖ ∂R/∂wₖ|, with ‖·‖₊ the nuclear norm (sum of singular
    values) and R the sum of the logits of one image of ones when all parameters and stored
    buffers are replaced by their absolute values. A are the linear layers that stand directly
    in an attention module (class name with "attention", "attn", "xca", "gpsa" or "mhsa" in it:
    qkv, or q, k and v, and proj), M all other linear layers: MLPs and the head. Convolutions,
    such as the patch embedding, do not count. In float64 on a copy, in eval mode.

    The paper's own program reads the gradient of slices of the weights, which torch does not
    keep, and gives 0 for every network. AZ-NAS's copy is right, but for a head of exactly
    1,000 classes counts it twice; here once. Both take each square linear layer for attention.

    Args:
        model: The network.
        synaptic_flow_bn: ∂R/∂|W| with batch norm kept.

    Returns:
        0 (with a head of zeros, for instance) or more. Unchanged by the signs of weights.

    Raises:
        ScoreUndefinedError: no linear layer stands in an attention module; or as `synflow` for
            values beyond float64 and rounding errors.

    References:
        Zhou et al., "Training-free Transformer Architecture Search", CVPR 2022,
            https://arxiv.org/abs/2203.12217
    """
    attention, others = _linear_weights(model)
    if not attention:
        raise ScoreUndefinedError(
            f"DSS is for transformers, but none of the {sum(1 for _ in model.modules())} modules "
            f"of {type(model).__name__} is an attention module with linear layers of its own."
        )
    flow = synaptic_flow_bn
    total = 0.0
    for name, weight, gradient in zip(flow.names, flow.weights, flow.gradients, strict=True):
        if name in attention:
            norms = [float(torch.linalg.matrix_norm(m, "nuc")) for m in (gradient, weight)]
            total += norms[0] * norms[1]
        elif name in others:
            total += float((weight * gradient).abs().sum())
    if total and math.log2(total) + flow.exponent > 1023:
        raise ScoreUndefinedError(
            f"DSS is 2^{math.log2(total) + flow.exponent:.0f} here, beyond float64."
        )
    return math.ldexp(total, flow.exponent)


def _linear_weights(model: nn.Module) -> tuple[set[str], set[str]]:
    """Names of the weights of linear layers directly in attention modules, and of the others."""
    names: tuple[set[str], set[str]] = (set(), set())
    for prefix, module in model.named_modules():
        kind = type(module).__name__.lower()
        is_attention = any(part in kind for part in _ATTENTION_NAMES)
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                names[0 if is_attention else 1].add(f"{prefix}.{name}.weight".lstrip("."))
    return names
