"""Expressivity part of AZ-NAS."""

from zoo_eval.quantities.blocks import BlockStatistics
from zoo_eval.scores._score import INITIAL, score


@score(unit="nats", higher_is_better=True, bounds=(0.0, float("inf")), weights=INITIAL)
def az_nas_expressivity(block_statistics: BlockStatistics) -> float:
    """Expressivity of AZ-NAS: the entropy of the blocks' outputs, summed, Σₗ Hₗ.

    Hₗ = −Σ p ln p, where p are the eigenvalues of the covariance of block l's output channels
    over all images and positions, divided by their sum. Blocks are found as
    `zoo_eval.quantities.blocks` says.

    The published programs draw new weights and feed noise; here the weights are those of the
    job and the images are the probe images. They also add 10⁻⁸ inside the logarithm.

    Args:
        block_statistics: Entropies of the blocks.

    Returns:
        Nats, from 0 (all outputs equal) to Σₗ ln(channels of block l). Unchanged by the order of
        the images and by the scale of a block's output.

    Raises:
        ScoreUndefinedError: the network has no blocks, or their outputs are not finite.

    References:
        Lee and Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR
            2024, https://arxiv.org/abs/2403.19232
    """
    return sum(block_statistics.entropies)
