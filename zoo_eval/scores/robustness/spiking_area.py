"""How well a network bears spikes in place of ReLU."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import area


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0), cost="36 forwards")
def spiking_area(
    spiking_sweep: Sweep, *, measure: str = "agreement", control: bool = False
) -> float:
    """What spikes in place of ReLU leave of a network's answers, mean over 16 time steps to 1.

    At each of T time steps the same image comes in. A unit adds up what it gets, x; when its
    potential is above the threshold V of its layer it puts out V, and V is taken off: its mean
    output tends to min(max(x, 0), V). V is the 90th percentile of what the layer gets, read off the
    first 8 images layer by layer, with spikes in the layers before. Features are means over time;
    the head is left as it is. T = 16, 8, 4, 2 and 1; at T = 1 activations have one bit.

    The score is the area under the measure over log₂ T, by trapezoids, divided by its width.

    Of the paper, the neuron, the threshold's rule and the sweep are kept. Training at fewer and
    fewer time steps is not, which gives its accuracies: without it a deep network at T = 1 is
    near chance. A spike is V, not 1, so that weights need no new scale. Networks with another
    activation module than `nn.ReLU` have no score; gates such as a sigmoid stay as they are.

    Args:
        spiking_sweep: The network's responses at each number of time steps.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.
        control: Whether of normal noise on every ReLU's output in place of spikes, of the norm of
            the error of that layer's spikes on the first images.

    Returns:
        From 0 to 1 (nothing changes even at one time step).

    Raises:
        InputError: another measure.
        ScoreUndefinedError: the network has no activation modules, or others than ReLU; or
            accuracy, of a network whose classes are not the dataset's.

    References:
        "One Timestep is All You Need: Training Spiking Neural Networks with Ultra Low Latency",
            2021, https://arxiv.org/abs/2110.05929
    """
    return area(spiking_sweep, measure, control)
