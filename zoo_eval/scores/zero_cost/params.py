"""Number of parameters: the baseline that a zero-cost score has to beat."""

from torch import nn

from zoo_eval.scores._score import score


@score(
    unit="parameters", higher_is_better=True, bounds=(0.0, float("inf")), weights=None, cost="none"
)
def params(model: nn.Module) -> float:
    """Number of parameters.

    All of them, as timm counts: biases, norms and tables too, frozen ones too, shared ones
    once. Buffers (running statistics) are not parameters.

    Args:
        model: The network.

    Returns:
        A whole number ≥ 0.

    References:
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021,
            https://arxiv.org/abs/2101.08134 (as a baseline)

    >>> params(nn.Linear(3, 2))
    8.0
    """
    return float(sum(parameter.numel() for parameter in model.parameters()))
