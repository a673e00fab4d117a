"""The one mechanism: change a network or its images a little, and evaluate it again."""

import math
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

# Within the block the network is changed; what is handed out are the images that it is to see.
Changed = AbstractContextManager[Iterable[Tensor]]


class Variants(NamedTuple):
    """A change, and a random one that is as large: what is special about the change is between.

    Attributes:
        transformed: The change.
        control: The random one; None if the change is itself random.
    """

    transformed: Changed
    control: Changed | None


@dataclass(frozen=True)
class Transform:
    """A change of a network or of its images, by degrees.

    Attributes:
        at: From a network, its images and a level to the change. Nothing is changed until its
            block is entered, and everything is put back, bit for bit, when it is left.
        levels: From the mildest to the strongest.
        none: The level at which nothing changes; not computed where it is among the levels.
        logarithmic: Whether areas are over the logarithm of the level.
    """

    at: Callable[[nn.Module, Iterable[Tensor], float], Variants]
    levels: tuple[float, ...]
    none: float
    logarithmic: bool = False

    def place(self, level: float) -> float:
        """Where a level lies on the axis that areas are over."""
        return math.log2(level) if self.logarithmic else float(level)


def as_large(
    before: Tensor, after: Tensor, rng: np.random.Generator, *, each: bool = False
) -> Tensor:
    """A tensor plus normal noise, of the norm of another change of it.

    Args:
        before: The tensor.
        after: What the change makes of it.
        rng: NumPy's, whose draws do not depend on how many are drawn at once.
        each: Whether each item along the first axis gets noise of its own norm.
    """
    noise = torch.from_numpy(rng.standard_normal(before.shape, dtype=np.float32)).to(before.device)
    axes = tuple(range(1 if each else 0, before.ndim))
    change, drawn = (
        torch.linalg.vector_norm(tensor, dim=axes, keepdim=True, dtype=torch.float64)
        for tensor in (after - before, noise)
    )
    return before + (noise * (change / drawn)).to(before.dtype)
