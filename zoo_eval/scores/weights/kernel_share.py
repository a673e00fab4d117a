"""Which sizes of kernels hold the weights."""

from math import prod

from torch import nn

from zoo_eval.errors import InputError
from zoo_eval.quantities.gradients import needed_weights
from zoo_eval.scores._score import score


@score(unit="fraction", higher_is_better=None, bounds=(0.0, 1.0), weights=None, cost="none")
def kernel_share(model: nn.Module, *, size: int = 3) -> float:
    """Share of the weights that lie in kernels of a size.

    A convolution of a × b × … counts with its longest side; a linear layer is one of 1 × 1.
    Weights of convolutions and linear layers are counted, no biases.

    The survey that stands behind this score names filter size and shape as the first choices of a
    design; the shares are ours. They depend on the architecture alone.

    Args:
        model: The network.
        size: Longest side of the kernels that count.

    Returns:
        From 0 to 1; the shares of all sizes add up to 1.

    Raises:
        InputError: the size is less than 1.
        ScoreUndefinedError: the network has no convolution or linear layer.

    References:
        "On Filter Design in Deep Convolutional Neural Network", 2024,
            https://arxiv.org/abs/2410.21644 (a survey)

    >>> kernel_share(nn.Sequential(nn.Conv2d(1, 1, 3), nn.Linear(3, 1)))  # 9 of 12
    0.75
    """
    if size < 1:
        raise InputError(f"size must be a whole number from 1 up, but is {size}.")
    shapes = [weight.shape for _, weight in needed_weights(model)]
    matching = [shape for shape in shapes if max(shape[2:], default=1) == size]
    return sum(map(prod, matching)) / sum(map(prod, shapes))
