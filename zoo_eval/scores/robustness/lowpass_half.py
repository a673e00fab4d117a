"""How few details of images a network needs for half of its accuracy."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import half_level


@score(unit="Nyquist frequencies", higher_is_better=False, bounds=(0.1, 1.5), cost="16 forwards")
def lowpass_half(
    lowpass_sweep: Sweep, *, measure: str = "accuracy", control: bool = False
) -> float:
    """The cut-off frequency of images at which half of the accuracy is left.

    From the images as the network gets them, all spatial frequencies above a radius r are taken
    out, r = 1, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2 and 0.1 of the Nyquist frequency.

    The score is the mildest level at which the measure is half of that of the untouched network,
    by straight lines between levels.

    Of the paper, only the idea is kept that a network is limited by the frequencies that it
    uses; it fits sinusoidal networks to signals. Images smaller than the network's input have
    no fine details to lose: networks of one input size compare.

    Args:
        lowpass_sweep: The network's responses at each level.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.
        control: Whether of a random change of the same size: normal noise on each image, of the
            norm of what was taken out.

    Returns:
        From 0.1, also where more than half is left there, to 1.5. Low: coarse shapes are enough.

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, of a network whose classes are not the dataset's, or that is
            never right.

    References:
        "Spectral Bottleneck in Deep Neural Networks: Noise is All You Need", 2025,
            https://arxiv.org/abs/2509.09719 (spectra as what limits a network)
    """
    return half_level(lowpass_sweep, measure, control)
