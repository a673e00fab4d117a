"""How well a network bears rational functions in place of its activation functions."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import tolerance


@score(unit="degrees", higher_is_better=False, bounds=(1.0, 6.0), cost="10 forwards")
def rational_tolerance(
    rational_sweep: Sweep, *, measure: str = "agreement", control: bool = False
) -> float:
    """The lowest degree of rational activations that costs less than one point.

    Each activation module is replaced by R(x) = Σᵢ aᵢ xⁱ / (1 + Σⱼ |bⱼ| |x|ʲ), i ≤ m, j < m, the
    one with the least squared distance to the module's own function on [−3, 3]; m = 5, 4, 3, 2
    and 1. That is the paper's function and interval, and at m = 5 its degrees; at m = 1 the network
    has no activation functions but straight lines.

    The score is the strongest level up to which, at every level, the measure is less than 0.01
    below that of the untouched network. Of n images, a point is n / 100: with few images it is
    coarse.

    Of the paper, the rational function is kept, with |x| in the denominator as in its kernel.
    Training with it is not, nor is one function for each group of channels: this is how exactly
    the network needs its activation functions, in [−3, 3] and, as R goes its own way there,
    beyond. Activations that are called as functions, not modules, stay, as do gates such as a
    sigmoid.

    Args:
        rational_sweep: The network's responses at each degree.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.
        control: Whether of normal noise on every activation's output in place of R, of the norm
            of R's error on that image.

    Returns:
        1 to 5; 6, the function itself, if even degree 5 costs more.

    Raises:
        InputError: another measure.
        ScoreUndefinedError: the network has no activation module, or one with a function for
            each channel; or accuracy, of a network whose classes are not the dataset's.

    References:
        Yang and Wang, "Kolmogorov–Arnold Transformer", ICLR 2025, https://arxiv.org/abs/2409.10594
    """
    return tolerance(rational_sweep, measure, control)
