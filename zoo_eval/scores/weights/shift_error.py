"""How much weights lose that may only be powers of two."""

from torch import nn

from zoo_eval.errors import InputError
from zoo_eval.scores._score import score
from zoo_eval.scores.weights._relative_error import relative_error
from zoo_eval.transforms.shift import with_shifts


@score(unit="fraction", higher_is_better=False, bounds=(0.0, 1.0), cost="none")
def shift_error(model: nn.Module, *, bits: int = 3) -> float:
    """Share of the weights' energy that is lost when they become powers of two without a zero.

    Each weight w becomes the nearest ±a·2ᵉ with e = 0 … 2^(bits − 1) − 1: at 3 bits ±a, ±2a, ±4a
    and ±8a. The scale a of an output channel is the one with the smallest error. With Ŵ the
    result, the score is ‖W − Ŵ‖² / ‖W‖² of each tensor, its mean over all weights of
    convolutions and linear layers.

    Of the paper, the zero-free code is kept. Not kept is training with it, on which its
    accuracies rest. Many normal weights lose 0.158, 0.0442 and 0.0377 at 2, 3 and 4 bits: as
    powers of two are an octave apart, a fourth bit helps little.

    Args:
        model: The network.
        bits: Bits per weight, from 2 to 5; one of them is the sign.

    Returns:
        From 0 (all weights of a channel are such powers) to 1. Unchanged by the scale of a tensor.

    Raises:
        InputError: another number of bits.
        ScoreUndefinedError: the network has no convolution or linear layer.

    References:
        Li et al., "DenseShift: Towards Accurate and Efficient Low-Bit Power-of-Two Quantization",
            ICCV 2023, https://arxiv.org/abs/2208.09708

    >>> import torch
    >>> layer = nn.Linear(4, 1)
    >>> _ = layer.weight.data.copy_(torch.tensor([[0.3, -0.6, 1.2, 2.4]]))
    >>> round(shift_error(layer, bits=3), 6)  # they are 0.3 · 2ᵉ
    0.0
    >>> round(shift_error(layer, bits=2), 6)  # 1 − (0.3 + 0.6 + 1.2 + 2 · 2.4)² / 7 / 7.65
    0.110924
    """
    if not 2 <= bits <= 5:
        raise InputError(f"bits must be 2, 3, 4 or 5, but is {bits}.")
    return relative_error(model, lambda weight: with_shifts(weight, bits))
