"""How well a network bears powers of two as weights."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import area


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0), cost="8 forwards")
def shift_area(shift_sweep: Sweep, *, measure: str = "agreement", control: bool = False) -> float:
    """What power-of-two weights leave of a network's answers, mean over 5 bits to 2.

    Each weight of convolutions and linear layers becomes the nearest ±a·2ᵉ, e = 0 … 2^(b − 1) −
    1, with a scale a per output channel, at b = 5, 4, 3 and 2 bits; there is no zero.

    The score is the area under the measure over the level, by trapezoids, divided by its width.

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
        From 0 to 1 (nothing changes at any level).

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, of a network whose classes are not the dataset's; or the
            network has no convolution or linear layer.

    References:
        Li et al., "DenseShift: Towards Accurate and Efficient Low-Bit Power-of-Two Quantization",
            ICCV 2023, https://arxiv.org/abs/2208.09708
    """
    return area(shift_sweep, measure, control)
