"""How well a network bears powers of two as weights."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import tolerance


@score(unit="bits", higher_is_better=False, bounds=(2.0, 32.0), cost="8 forwards")
def shift_tolerance(
    shift_sweep: Sweep, *, measure: str = "agreement", control: bool = False
) -> float:
    """The fewest bits of power-of-two weights for less than one point lost.

    Each weight of convolutions and linear layers becomes the nearest ±a·2ᵉ, e = 0 … 2^(b − 1) −
    1, with a scale a per output channel, at b = 5, 4, 3 and 2 bits; there is no zero.

    The score is the strongest level up to which, at every level, the measure is less than 0.01
    below that of the untouched network. Of n images, a point is n / 100: with few images it is
    coarse.

    Of the paper, the zero-free code is kept; training with it is not. Its accuracies (68.9 to
    70.9 % for ResNet-18 on ImageNet) are out of reach without.

    Args:
        shift_sweep: The network's responses at each level.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.
        control: Whether of a random change of the same size: normal noise on each tensor, of
            the norm of the error of quantisation.

    Returns:
        2 to 5; 32, the weight itself, if even 5 bits cost more.

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, of a network whose classes are not the dataset's; or the
            network has no convolution or linear layer.

    References:
        Li et al., "DenseShift: Towards Accurate and Efficient Low-Bit Power-of-Two Quantization",
            ICCV 2023, https://arxiv.org/abs/2208.09708
    """
    return tolerance(shift_sweep, measure, control)
