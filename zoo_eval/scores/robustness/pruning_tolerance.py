"""How well a network bears losing its smallest weights."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import tolerance


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 0.9), cost="12 forwards")
def pruning_tolerance(
    pruning_sweep: Sweep, *, measure: str = "agreement", control: bool = False
) -> float:
    """The largest share of weights that can be pruned for less than one point.

    The share p of the weights of convolutions and linear layers with the least magnitude,
    wherever they are, becomes zero; p = 0, 0.1, 0.2, 0.3, 0.5, 0.7 and 0.9. As in the published
    program, all weights up to that at place ⌊p n⌋ fall, one more than the share; unlike there,
    linear layers are pruned too. Nothing is trained afterwards, which recovers much of what is
    lost here.

    The score is the strongest level up to which, at every level, the measure is less than 0.01
    below that of the untouched network. Of n images, a point is n / 100: with few images it is
    coarse.

    Args:
        pruning_sweep: The network's responses at each level.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.
        control: Whether of a random change of the same size: as many weights of each tensor,
            chosen at random.

    Returns:
        From 0 (even 10 % cost more) to 0.9.

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, of a network whose classes are not the dataset's; or the
            network has no convolution or linear layer.

    References:
        Liu et al., "Rethinking the Value of Network Pruning", ICLR 2019,
            https://arxiv.org/abs/1810.05270
    """
    return tolerance(pruning_sweep, measure, control)
