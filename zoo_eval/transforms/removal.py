"""Removing blocks: the network goes on with what came in."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo_eval.quantities.blocks import blocks
from zoo_eval.quantities.module_state import in_mode
from zoo_eval.transforms.patched import patched
from zoo_eval.transforms.transform import Transform, Variants

_MOST = 0.5  # of the blocks; what is left of a network beyond is of no use


def removable_blocks(model: nn.Module, images: Iterable[Tensor]) -> list[nn.Module]:
    """Blocks that were run and whose output always had the shape of their input.

    Of residual blocks these are the ones without a projection on the skip: removed, the branch
    is off and the skip is left.
    """
    fits: dict[nn.Module, bool] = {}

    def note(block: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
        shapes = [x.shape if isinstance(x, Tensor) else None for x in (*inputs[:1], output)]
        alike = len(shapes) == 2 and shapes[0] is not None and shapes[0] == shapes[1]
        fits[block] = fits.get(block, True) and alike

    handles = [block.register_forward_hook(note) for block in blocks(model)]
    try:
        with in_mode(model, "eval"), torch.inference_mode():
            model(next(iter(images))[:1])
    finally:
        for handle in handles:
            handle.remove()
    return [block for block in blocks(model) if fits.get(block, False)]


@contextmanager
def without(
    removed: Sequence[nn.Module], images: Iterable[Tensor]
) -> Generator[Iterable[Tensor], None, None]:
    """Let blocks hand on their input within the block of code; the images stay as they are."""
    with patched({(block, "forward"): _first for block in removed}):
        yield images


def removal(order: Sequence[nn.Module]) -> Transform:
    """Remove blocks in this order, one more at every level; the control, in a random order.

    Args:
        order: The removable blocks, that which is missed least first. Half of them are removed.
    """
    shuffled = [order[place] for place in np.random.default_rng(0).permutation(len(order))]

    def at(model: nn.Module, images: Iterable[Tensor], level: float) -> Variants:
        del model
        n = int(level)
        return Variants(without(order[:n], images), without(shuffled[:n], images))

    most = max(1, int(_MOST * len(order)))
    return Transform(at, tuple(float(n) for n in range(most + 1)), none=0.0)


def _first(x: Tensor, *_: object, **__: object) -> Tensor:
    return x
