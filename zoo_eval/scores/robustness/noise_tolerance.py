"""How well a network bears noise on its weights."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import tolerance


@score(unit="standard deviations", higher_is_better=True, bounds=(0.0, 0.5), cost="18 forwards")
def noise_tolerance(noise_sweep: Sweep, *, measure: str = "agreement") -> float:
    """The largest noise on the weights that costs less than one point.

    To each weight tensor of convolutions and linear layers, normal noise of a × its standard
    deviation is added, a = 0.01, 0.02, 0.05, 0.1, 0.2 and 0.5. Responses are means over three
    draws; the draws are the same at every level and for every network of the same shapes.

    The score is the strongest level up to which, at every level, the measure is less than 0.01
    below that of the untouched network. Of n images, a point is n / 100: with few images it is
    coarse.

    Of the paper, the normal perturbation of weights is kept, as a question to trained networks;
    its sinusoidal networks, and its rule for the size of the noise, are not.

    Args:
        noise_sweep: The network's responses at each level.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.

    Returns:
        From 0 (even 0.01 costs more) to 0.5 (all sizes are borne).

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, of a network whose classes are not the dataset's; or the
            network has no convolution or linear layer.

    References:
        "Spectral Bottleneck in Deep Neural Networks: Noise is All You Need", 2025,
            https://arxiv.org/abs/2509.09719 (normal noise on initial weights)
    """
    return tolerance(noise_sweep, measure)
