"""SynFlow with batch norm in place."""

from torch import nn

from zoo_eval.quantities.module_state import module_mode
from zoo_eval.quantities.synaptic_flow import SynapticFlow, synaptic_flow
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="nats",
    higher_is_better=True,
    weights=INITIAL,
    cost="1 forward, 1 backward of one image in float64, twice for large flows",
)
def synflow_bn(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    synaptic_flow_bn: SynapticFlow,
    *,
    mode: str = "eval",
) -> float:
    """Logarithm of the synaptic flow with batch norm kept, ln Σₖ |wₖ ∂R/∂wₖ|.

    As `synflow`, but batch norm stays. In eval mode it uses its running statistics, in
    absolute value as everything else, so that the flow is that of the network as it runs;
    this is what the paper's own program does. Equal to `synflow` for a network without it.

    Args:
        model: The network; it is copied, not changed.
        input_shape: (channels, height, width).
        synaptic_flow_bn: ∂R/∂|W| in eval mode.
        mode: "eval", or "paper": train mode as in the zero-cost program, where batch norm
            uses the statistics of the one image of ones. It hides the flow that it passes on:
            exp(score) is 34.5 against 2.4·10⁷ for a small network of two residual blocks.

    Returns:
        Any real number. Unchanged by the signs of weights.

    Raises:
        InputError: another `mode`.
        ScoreUndefinedError: as `synflow`; or, in paper mode, a batch norm after global pooling,
            to which one image gives one value per channel.

    References:
        Tanaka et al., "Pruning neural networks without any data by iteratively conserving
            synaptic flow", NeurIPS 2020, Eq. (1), https://arxiv.org/abs/2006.05467
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, Section 3.2,
            https://arxiv.org/abs/2101.08134

    >>> import torch
    >>> layer = nn.Linear(3, 1)
    >>> layer.weight = nn.Parameter(torch.tensor([[1.0, -2.0, 4.0]]))
    >>> norm = nn.BatchNorm1d(1, eps=0)
    >>> norm.running_var.fill_(4)  # halves the flow of 7
    tensor([4.])
    >>> model = nn.Sequential(nn.Flatten(), layer, norm)
    >>> round(synflow_bn(model=model, input_shape=(3, 1, 1)), 6)  # ln 3.5
    1.252763
    """
    if module_mode(mode) == "train":
        synaptic_flow_bn = synaptic_flow(model, input_shape, batch_norm=True, mode="train")
    return synaptic_flow_bn.log_total("synflow_bn")
