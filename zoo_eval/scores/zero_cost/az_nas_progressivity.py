"""Progressivity part of AZ-NAS."""

from itertools import pairwise

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.blocks import BlockStatistics
from zoo_eval.scores._score import INITIAL, score


@score(unit="nats", higher_is_better=True, weights=INITIAL)
def az_nas_progressivity(block_statistics: BlockStatistics) -> float:
    """Progressivity of AZ-NAS: the least growth of entropy from block to block, minₗ (Hₗ − Hₗ₋₁).

    Hₗ is the entropy of block l's output channels, see `az_nas_expressivity`. The published
    search leaves this part out for vision transformers, whose blocks are all of one width; here
    it is computed for every network, and a pool of transformers alone had better do without.

    Args:
        block_statistics: Entropies of the blocks, in the order of the forward pass.

    Returns:
        Nats; below 0 if some block lowers the entropy. Unchanged by the order of the images.

    Raises:
        ScoreUndefinedError: the network has fewer than two blocks, or their outputs are not
            finite.

    References:
        Lee and Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR
            2024, https://arxiv.org/abs/2403.19232
    """
    entropies = block_statistics.entropies
    if len(entropies) < 2:
        raise ScoreUndefinedError("Growth from block to block needs two blocks, but there is one.")
    return min(after - before for before, after in pairwise(entropies))
