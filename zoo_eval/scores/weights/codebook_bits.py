"""What weights take with a codebook of a few values."""

import math

from torch import nn

from zoo_eval.errors import InputError
from zoo_eval.quantities.gradients import needed_weights
from zoo_eval.scores._score import score

_FLOAT_BITS = 32


@score(
    unit="bits per weight",
    higher_is_better=False,
    bounds=(0.0, 32.0),
    weights=None,
    cost="none",
)
def codebook_bits(model: nn.Module, *, k: int = 16) -> float:
    """Bits per weight of convolutions and linear layers, with a codebook of k values per tensor.

    A tensor of n weights takes n ⌈log₂ k⌉ bits for the places in its codebook and 32 k for the
    codebook, or 32 n as it is, whichever is less. The score is the sum over tensors, divided by
    the number of weights. 32 / score is how many times smaller the network gets.

    It depends on the shapes of the layers alone: networks of many small layers gain less. What
    it costs is `codebook_error`.

    Args:
        model: The network.
        k: Number of values in a codebook.

    Returns:
        From ⌈log₂ k⌉ (large tensors) to 32 (no tensor gains).

    Raises:
        InputError: k is less than 1.
        ScoreUndefinedError: the network has no convolution or linear layer.

    References:
        Yvinec et al., "Network Memory Footprint Compression Through Jointly Learnable Codebooks
            and Mappings", 2023, https://arxiv.org/abs/2309.17361
        Han et al., "Deep Compression", ICLR 2016, Section 3 (the formula),
            https://arxiv.org/abs/1510.00149

    >>> codebook_bits(nn.Linear(64, 32))  # 4 bits, and 16 · 32 bits for 2,048 weights
    4.25
    """
    if k < 1:
        raise InputError(f"k must be a whole number from 1 up, but is {k}.")
    sizes = [weight.numel() for _, weight in needed_weights(model)]
    index_bits = math.ceil(math.log2(k))
    bits = sum(min(n * index_bits + _FLOAT_BITS * k, _FLOAT_BITS * n) for n in sizes)
    return bits / sum(sizes)
