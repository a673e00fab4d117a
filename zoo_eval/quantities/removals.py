"""What a network answers without one of its blocks, and without more and more of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn

from zoo_eval.errors import NotFiniteError, ScoreUndefinedError
from zoo_eval.quantities._quantity import quantity
from zoo_eval.quantities.forward import ForwardPass
from zoo_eval.quantities.forward import forward_pass as pass_images
from zoo_eval.quantities.response import Response, response
from zoo_eval.quantities.sweep import HeadLabels, Sweep, sweep
from zoo_eval.transforms.removal import removable_blocks, removal, without


@dataclass(frozen=True)
class BlockRemovals:
    """One entry per removable block, in the order of the network.

    Attributes:
        blocks: The blocks.
        responses: To the removal of each of them alone.
    """

    blocks: tuple[nn.Module, ...]
    responses: tuple[Response, ...]


@quantity
def block_removals(
    model: nn.Module, images: Iterable[Tensor], forward_pass: ForwardPass, head_labels: HeadLabels
) -> BlockRemovals:
    """Evaluate the network without each of its removable blocks.

    Raises:
        ScoreUndefinedError: there is none.
    """
    found = removable_blocks(model, images)
    if not found:
        raise ScoreUndefinedError(
            f"{type(model).__name__} has no block that can be removed: no item of a Sequential, "
            "ModuleList or stage, of two or more layers, whose output has its input's shape."
        )
    responses = [
        response(forward_pass, _answers(model, block, images), head_labels) for block in found
    ]
    return BlockRemovals(tuple(found), tuple(responses))


def _answers(model: nn.Module, block: nn.Module, images: Iterable[Tensor]) -> ForwardPass | None:
    try:
        with without([block], images):
            return pass_images(model, images)
    except NotFiniteError:
        return None


@quantity
def removal_sweep(
    model: nn.Module,
    images: Iterable[Tensor],
    forward_pass: ForwardPass,
    head_labels: HeadLabels,
    block_removals: BlockRemovals,
) -> Sweep:
    """Remove up to half of the blocks, those first without which the embeddings are most alike."""
    pairs = zip(block_removals.responses, block_removals.blocks, strict=True)
    order = [block for _, block in sorted(pairs, key=lambda pair: -pair[0].cka)]
    return sweep(removal(order), model, images, forward_pass, head_labels)
