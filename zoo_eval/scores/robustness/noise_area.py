"""How well a network bears noise on its weights."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import area


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0), cost="18 forwards")
def noise_area(noise_sweep: Sweep, *, measure: str = "agreement") -> float:
    """What noise on the weights leaves of a network's answers, mean over six sizes of noise.

    To each weight tensor of convolutions and linear layers, normal noise of a × its standard
    deviation is added, a = 0.01, 0.02, 0.05, 0.1, 0.2 and 0.5. Responses are means over three
    draws; the draws are the same at every level and for every network of the same shapes.

    The score is the area under the measure over log₂ of the level, by trapezoids, divided by
    its width.

    Of the paper, the normal perturbation of weights is kept, as a question to trained networks;
    its sinusoidal networks, and its rule for the size of the noise, are not.

    Args:
        noise_sweep: The network's responses at each level.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.

    Returns:
        From 0 to 1 (nothing changes at any level).

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, of a network whose classes are not the dataset's; or the
            network has no convolution or linear layer.

    References:
        "Spectral Bottleneck in Deep Neural Networks: Noise is All You Need", 2025,
            https://arxiv.org/abs/2509.09719 (normal noise on initial weights)
    """
    return area(noise_sweep, measure)
