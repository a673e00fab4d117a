"""How little the blocks of a network change its embeddings."""

from zoo_eval.quantities.removals import BlockRemovals
from zoo_eval.scores._score import score


@score(unit="fraction", higher_is_better=None, bounds=(0.0, 1.0), cost="1 forward per block")
def layer_redundancy(block_removals: BlockRemovals) -> float:
    """Linear CKA of the embeddings with and without a block, mean over removable blocks.

    A block is removable if its output has the shape of its input: residual blocks without a
    projection, and the layers of a ViT; what came in then goes on as it is. Blocks count the same.
    1 − CKA is the paper's criterion for which block to remove.

    Of the paper, the criterion and the removal are kept; training what is left is not. Blocks are
    those of `az_nas`: VGG, Inception v3, NASNet and some others have none. A removable block need
    not be residual: without a skip, all that it does is lost.

    Args:
        block_removals: The network's responses without each block.

    Returns:
        From 0 to 1 (no block changes anything that CKA sees). High: depth that may be spared.

    Raises:
        ScoreUndefinedError: no block can be removed.

    References:
        Jordao et al., "When Layers Play the Lottery, all Tickets Win at Initialization", 2023,
            https://arxiv.org/abs/2301.10835
        Kornblith et al., "Similarity of Neural Network Representations Revisited", ICML 2019,
            https://arxiv.org/abs/1905.00414
    """
    ckas = [response.cka for response in block_removals.responses]
    return sum(ckas) / len(ckas)
