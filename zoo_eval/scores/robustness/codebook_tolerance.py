"""How well a network bears weights from a small codebook."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import tolerance


@score(unit="bits", higher_is_better=False, bounds=(1.0, 32.0), cost="12 forwards")
def codebook_tolerance(
    codebook_sweep: Sweep, *, measure: str = "agreement", control: bool = False
) -> float:
    """The fewest bits per weight that a codebook needs for less than one point lost.

    Each weight tensor of convolutions and linear layers is quantised to a codebook of its own
    with 2ᵇ values, by k-means; b = 6, 5, 4, 3, 2 and 1. Norms, biases and tables stay as they
    are.

    The score is the strongest level up to which, at every level, the measure is less than 0.01
    below that of the untouched network. Of n images, a point is n / 100: with few images it is
    coarse.

    Of the paper, the codebook is kept; its training is not, which is where most of its accuracy
    comes from: the values here are a lower bound, and not to be compared with its tables.

    Args:
        codebook_sweep: The network's responses at each level.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.
        control: Whether of a random change of the same size: normal noise on each tensor, of
            the norm of the error of quantisation.

    Returns:
        1 to 6; 32, the weight itself, if even 6 bits cost more.

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, of a network whose classes are not the dataset's; or the
            network has no convolution or linear layer.

    References:
        Yvinec et al., "Network Memory Footprint Compression Through Jointly Learnable Codebooks
            and Mappings", 2023, https://arxiv.org/abs/2309.17361
    """
    return tolerance(codebook_sweep, measure, control)
