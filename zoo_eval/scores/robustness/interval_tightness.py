"""How much interval bounds lose from layer to layer."""

from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import Images
from zoo_eval.quantities.interval_radii import radii
from zoo_eval.scores._score import score


@score(
    unit="decades",
    higher_is_better=None,
    bounds=(float("-inf"), 0.0),
    cost="2 forward and backward of the probe batch",
)
def interval_tightness(model: nn.Module, probe_images: Images) -> float:
    """Common logarithm of the local propagation tightness, mean over images.

    Near an image x, with every ReLU and every maximum as it is at x, the network is linear: its
    margin m, the largest logit less the second, moves by up to |∂m/∂x| ε in a box of radius ε.
    Interval bounds, pushed through the same linear layers one by one, give
    |w| |W_L| … |W_1| ε, w the difference of two rows of the last layer. The tightness τ ≤ 1 is
    the first over the second, each summed over pixels; the score is the mean of log₁₀ τ.

    As in the paper, batch norm is its scale, and radii add up where a skip joins. There τ is of
    every difference of classes, here of the one that decides; and the box, which may leave the
    range of pixels, is in units of the network's input. High is what training for interval bounds
    makes; the paper shows it to be neither sufficient nor necessary for robustness. It falls with
    depth and width.

    Args:
        model: The network: convolutions, linear layers, batch norm, ReLU or other functions made
            of lines, pooling, sums and products with constants. It is copied to float64.
        probe_images: Shape (n, channels, height, width).

    Returns:
        At most 0: nothing is lost, as where no weight is negative. A linear network of two layers
        with normal weights and width k has about −log₁₀(k) / 2 + 0.1. Unchanged by the scale of
        any layer.

    Raises:
        ScoreUndefinedError: the network has another operation, which is named; or the margin of an
            image does not depend on its pixels, or its radius is beyond float64.

    References:
        Mao et al., "Understanding Certified Training with Interval Bound Propagation", ICLR 2024,
            https://arxiv.org/abs/2306.10426
    """
    found = radii(model, probe_images)
    tightness = found.exact / found.bound
    good = tightness.isfinite() & (tightness > 0)
    if not good.all():
        raise ScoreUndefinedError(
            f"The radii of {int((~good).sum())} of {len(good)} margins are zero or beyond float64, "
            f"the largest being {float(found.bound.max()):.3g}. Is the network constant with these "
            "weights?"
        )
    return float(tightness.clamp(max=1).log10().mean())
