"""SynFlow: synaptic flow through the network of absolute weights, without data."""

from torch import nn

from zoo_eval.quantities.synaptic_flow import synaptic_flow
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="nats",
    higher_is_better=True,
    weights=INITIAL,
    cost="1 forward, 1 backward of one image in float64, twice for large flows",
    version=2,
)
def synflow(model: nn.Module, input_shape: tuple[int, int, int]) -> float:
    """Logarithm of the synaptic flow, ln Σₖ |wₖ ∂R/∂wₖ| of the network with absolute weights.

    R is the sum of the logits of one image of ones, when all parameters and stored buffers
    are replaced by their absolute values; k runs over the weights of convolutions and linear
    layers. Computed in float64 on a copy, in eval mode. Values beyond float64 are held as a
    tensor times a power of two, so depth does not matter.

    The paper and the zero-cost program give the flow itself, which passes float64's 10³⁰⁸ in
    deep networks; NASLib takes the logarithm too, but writes −10⁸ where the flow overflowed.
    Programs differ in batch norm. Here it is passed by, as in the zero-cost program: what a
    timm module does beside the norm (drop, activation) is still done; `synflow_bn` keeps it.
    All other norms stay in place, so for a network with them this is not the conserved flow
    of the paper.

    With attention behind layers without norm, scores can grow until the softmax sees nothing
    but rounding errors of equal tokens: 3.2·10²⁹⁰ for an untrained HaloRegNet, but 7.0·10²⁹⁰
    with weights changed by 10⁻¹³ of themselves. Such a flow is refused.

    Args:
        model: The network; it is copied, not changed.
        input_shape: (channels, height, width).

    Returns:
        Any real number. Unchanged by the signs of weights; ln c more if a layer without bias
        has its weights multiplied by c.

    Raises:
        ScoreUndefinedError: no convolution or linear layer; the flow is zero (with a head of
            zeros, for instance); values beyond float64 meet an operation that needs them as
            they are; or rounding errors decide.

    References:
        Tanaka et al., "Pruning neural networks without any data by iteratively conserving
            synaptic flow", NeurIPS 2020, Eq. (1), https://arxiv.org/abs/2006.05467
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021, Section 3.2,
            https://arxiv.org/abs/2101.08134

    >>> import torch
    >>> layer = nn.Linear(3, 1)
    >>> layer.weight = nn.Parameter(torch.tensor([[1.0, -2.0, 4.0]]))
    >>> round(synflow(nn.Sequential(nn.Flatten(), layer), (3, 1, 1)), 6)  # ln 7
    1.94591
    """
    return synaptic_flow(model, input_shape, batch_norm=False).log_total("synflow")
