"""How many blocks a network can lose."""

from zoo_eval.quantities.sweep import Sweep
from zoo_eval.scores._score import score
from zoo_eval.scores.robustness._curve import tolerance


@score(
    unit="blocks", higher_is_better=True, bounds=(0.0, float("inf")), cost="2 forwards per block"
)
def removal_tolerance(
    removal_sweep: Sweep, *, measure: str = "agreement", control: bool = False
) -> float:
    """The largest number of blocks that can be removed for less than one point.

    Removable blocks as in `layer_redundancy` are removed one after another, those first without
    which alone the linear CKA with the untouched embeddings is highest, until half are gone (one
    at least).

    The score is the number of blocks up to which, at every number, the measure is less than 0.01
    below that of the untouched network. Of n images, a point is n / 100: with few images it is
    coarse.

    Of the paper, the criterion and the removal are kept; training what is left is not, which
    recovers much of what is lost here. The order is not found anew after each removal.

    Args:
        removal_sweep: The network's responses at each number of blocks.
        measure: What is left: `"agreement"`, the share of images that keep their most likely
            class; `"fidelity"`, exp(−KL) of the mean divergence of the probabilities; `"cka"`,
            linear CKA of the embeddings; or `"accuracy"`, top-1.
        control: Whether of as many blocks in a random order.

    Returns:
        A whole number from 0 to half of the removable blocks.

    Raises:
        InputError: another measure.
        ScoreUndefinedError: no block can be removed; or accuracy, of a network whose classes are
            not the dataset's.

    References:
        Jordao et al., "When Layers Play the Lottery, all Tickets Win at Initialization", 2023,
            https://arxiv.org/abs/2301.10835
    """
    return tolerance(removal_sweep, measure, control)
