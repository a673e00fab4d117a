"""Changes of a network's weights, for as long as a block lasts."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
from torch import Tensor, nn

from zoo_eval.quantities.gradients import needed_weights
from zoo_eval.transforms.transform import Transform, Variants, as_large

Weights = Sequence[Tensor]
# From the weights of all convolutions and linear layers and a level to new ones.
WeightChange = Callable[[Weights, float], Weights]
# From the weights, the changed ones and random numbers to a random change of the same size.
Control = Callable[[Weights, Weights, np.random.Generator], Weights]


def noise_as_large(before: Weights, after: Weights, rng: np.random.Generator) -> list[Tensor]:
    """Normal noise on each tensor, of the norm of its change."""
    return [as_large(b, a, rng) for b, a in zip(before, after, strict=True)]


def weight_transform(
    change: WeightChange,
    levels: tuple[float, ...],
    none: float,
    *,
    control: Control | None = noise_as_large,
    logarithmic: bool = False,
) -> Transform:
    """A transform of weights, with a control that is as large in every tensor.

    Args:
        change: What is done to the weights.
        levels: From the mildest to the strongest.
        none: The level at which nothing changes.
        control: The random change beside it; None if the change is itself random.
        logarithmic: Whether areas are over the logarithm of the level.
    """

    def at(model: nn.Module, images: Iterable[Tensor], level: float) -> Variants:
        parameters = [parameter for _, parameter in needed_weights(model)]
        before = [parameter.detach() for parameter in parameters]
        after = change(before, level)
        transformed = replaced(parameters, lambda: after, images)
        if control is None:
            return Variants(transformed, None)
        rng = np.random.default_rng(0)
        randomly = replaced(parameters, partial(control, before, after, rng), images)
        return Variants(transformed, randomly)

    return Transform(at, levels, none, logarithmic)


@contextmanager
def replaced(
    parameters: Sequence[nn.Parameter], new: Callable[[], Weights], images: Iterable[Tensor]
) -> Generator[Iterable[Tensor], None, None]:
    """Let parameters hold other numbers within the block; the images stay as they are.

    What they held is not written to: it is laid aside, and put back as it was.
    """
    before = [parameter.data for parameter in parameters]
    try:
        for parameter, weight in zip(parameters, new(), strict=True):
            parameter.data = weight
        yield images
    finally:
        for parameter, weight in zip(parameters, before, strict=True):
            parameter.data = weight
