"""Spatial slices of convolutions."""

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor, nn

from zoo_eval.quantities.gradients import needed_weights


def slices(model: nn.Module) -> Iterator[Float[Tensor, "slices positions"]]:
    """The slices of each two-dimensional convolution with a kernel larger than 1 × 1, in float64.

    A slice has the weights from one input channel to one output channel, one number per position
    of the kernel.

    Raises:
        ScoreUndefinedError: the network has no convolution or linear layer.
    """
    for _, weight in needed_weights(model):
        if weight.ndim == 4 and weight.shape[2] * weight.shape[3] > 1:
            yield weight.detach().double().flatten(0, 1).flatten(1)
