"""How well a network bears losing blocks."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import area


@score(unit="fraction", higher_is_better=True, bounds=(0.0, 1.0), cost="2 forwards per block")
def removal_area(
    removal_sweep: Sweep, *, measure: str = "agreement", control: bool = False
) -> float:
    """What the removal of blocks leaves of a network's answers, mean over none to half of them.

    Removable blocks as in `layer_redundancy` are removed one after another, those first without
    which alone the linear CKA with the untouched embeddings is highest, until half are gone (one
    at least).

    The score is the area under the measure over the number of blocks removed, by trapezoids,
    divided by its width.

    Of the paper, the criterion and the removal are kept; training what is left is not, which
    recovers much of what is lost here. The order is not found anew after each removal.

    Args:
        removal_sweep: The network's responses at each number of blocks.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.
        control: Whether of as many blocks in a random order.

    Returns:
        From 0 to 1 (nothing changes). Networks with the same number of blocks compare best.

    Raises:
        InputError: another measure.
        ScoreUndefinedError: no block can be removed; or accuracy, of a network whose classes are
            not the dataset's.

    References:
        Jordao et al., "When Layers Play the Lottery, all Tickets Win at Initialization", 2023,
            https://arxiv.org/abs/2301.10835
    """
    return area(removal_sweep, measure, control)
