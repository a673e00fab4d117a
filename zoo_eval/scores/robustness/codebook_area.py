"""How well a network bears weights from a small codebook."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import area


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0), cost="12 forwards")
def codebook_area(
    codebook_sweep: Sweep, *, measure: str = "agreement", control: bool = False
) -> float:
    """What weight codebooks leave of a network's answers, mean over 6 bits to 1.

    Each weight tensor of convolutions and linear layers is quantised to a codebook of its own
    with 2ᵇ values, by k-means; b = 6, 5, 4, 3, 2 and 1. Norms, biases and tables stay as they
    are.

    The score is the area under the measure over the level, by trapezoids, divided by its width.

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
        From 0 to 1 (nothing changes at any level).

    Raises:
        InputError: another measure.
        ScoreUndefinedError: accuracy, of a network whose classes are not the dataset's; or the
            network has no convolution or linear layer.

    References:
        Yvinec et al., "Network Memory Footprint Compression Through Jointly Learnable Codebooks
            and Mappings", 2023, https://arxiv.org/abs/2309.17361
    """
    return area(codebook_sweep, measure, control)
