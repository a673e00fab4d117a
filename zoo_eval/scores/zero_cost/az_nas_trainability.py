"""Trainability part of AZ-NAS."""

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.blocks import BlockStatistics
from zoo_eval.scores._score import INITIAL, score

_EPSILON = 1e-6  # of the published program


@score(
    unit="dimensionless",
    higher_is_better=True,
    bounds=(float("-inf"), 2 * _EPSILON),
    weights=INITIAL,
    cost="1 forward, 1 backward",
)
def az_nas_trainability(block_statistics: BlockStatistics) -> float:
    """Trainability of AZ-NAS: how near blocks keep gradients to their size, mean 2 − σ − 1/(σ + ε).

    σ is the largest singular value of AᵀB / m of a block: B are random signs at its output (one
    row per image and position, m in all), A is what they become at its input, multiplied by the
    block's Jacobian; ε = 10⁻⁶. Where a block has a coarser grid at its output than at its input,
    the input positions that fall together count as channels, as in the published program; a
    block whose grids do not divide is left out.

    The published programs draw new weights and feed noise; here the weights are those of the
    job, the images are the probe images, and the signs come from seed 0. They differentiate from
    block output to block output; here from a block's output to its own input, which is the same
    where blocks follow each other directly.

    Args:
        block_statistics: σ of each block.

    Returns:
        At most about 0, reached where σ = 1 everywhere; about −10⁶ per block that lets no
        gradient pass.

    Raises:
        ScoreUndefinedError: the network has no blocks, their outputs are not finite, or no
            block's input and output grids divide.

    References:
        Lee and Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR
            2024, https://arxiv.org/abs/2403.19232
    """
    gains = block_statistics.gains
    if not gains:
        n = len(block_statistics.entropies)
        raise ScoreUndefinedError(f"None of the {n} blocks has input and output grids that divide.")
    return sum(2 - gain - 1 / (gain + _EPSILON) for gain in gains) / len(gains)
