"""SWAP: in how many different ways do units sort the images?"""

from torch import nn

from zoo_eval.quantities.activation_patterns import ActivationPatterns, read_patterns
from zoo_eval.quantities.gradients import Images
from zoo_eval.quantities.module_state import module_mode
from zoo_eval.scores._score import INITIAL, score


@score(unit="patterns", higher_is_better=True, bounds=(1.0, float("inf")), weights=INITIAL)
def swap(
    model: nn.Module,
    probe_images: Images,
    activation_patterns: ActivationPatterns,
    *,
    mode: str = "eval",
) -> float:
    """Number of different sample-wise activation patterns, |{p₁, …, p_U}|.

    The pattern pᵤ ∈ {0, 1}ⁿ of unit u says which of the n images switch it on; units and the
    rule for "on" are those of `naswot`. Two units with one pattern count once.

    The published program counts `nn.ReLU` with feature maps alone (no ReLU6, none behind a
    linear layer), and returns nothing for a network without; here all activation modules
    count, so that the value is larger if there are others. The program also draws new
    normal weights 32 times and takes the mean; here the weights are those given. The paper's
    regularised form multiplies by exp(−(P − μ)² / σ) with P the number of parameters and μ, σ
    chosen per search space, and is left to the reader.

    At most min(2ⁿ, U). With n = 16, as in the program, large networks reach 2¹⁶ = 65,536;
    with many images nearly all units differ, and it follows `activations`.

    Args:
        model: The network.
        probe_images: n images, shape (n, channels, height, width). The value grows with n, so
            only values with the same n compare.
        activation_patterns: The patterns in eval mode.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the batch's own statistics.

    Returns:
        A whole number from 1 to min(2ⁿ, number of units). Unchanged by the order of the
        images.

    Raises:
        InputError: another `mode`.
        ScoreUndefinedError: no activation module was used, or the network's output is NaN.

    References:
        Peng et al., "SWAP-NAS: Sample-Wise Activation Patterns for Ultra-fast NAS", ICLR 2024,
            Section 3, https://arxiv.org/abs/2403.04161
    """
    if module_mode(mode) == "train":
        activation_patterns = read_patterns(model, probe_images, "train")
    return float(activation_patterns.n_distinct_units)
