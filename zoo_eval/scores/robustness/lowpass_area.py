"""How well a network bears images without details."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import area


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0), cost="16 forwards")
def lowpass_area(
    lowpass_sweep: Sweep, *, measure: str = "agreement", control: bool = False
) -> float:
    """What a low-pass leaves of a network's answers, mean over radii of 1 to 0.1.

    From the images as the network gets them, all spatial frequencies above a radius r are taken
    out, r = 1, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2 and 0.1 of the Nyquist frequency.

    The score is the area under the measure over the level, by trapezoids, divided by its width.

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
        From 0 to 1 (nothing changes at any level).

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, of a network whose classes are not the dataset's.

    References:
        "Spectral Bottleneck in Deep Neural Networks: Noise is All You Need", 2025,
            https://arxiv.org/abs/2509.09719 (spectra as what limits a network)
    """
    return area(lowpass_sweep, measure, control)
