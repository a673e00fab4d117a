"""How much a codebook of a few values loses of the weights."""

from torch import nn

from zoo_eval.errors import InputError
from zoo_eval.scores._score import score
from zoo_eval.scores.weights._relative_error import relative_error
from zoo_eval.transforms.codebook import with_codebook


@score(unit="fraction", higher_is_better=False, bounds=(0.0, 1.0), cost="none")
def codebook_error(model: nn.Module, *, k: int = 16) -> float:
    """Share of the weights' energy that a codebook of k values per tensor loses.

    Each weight of a tensor W becomes the nearest of k values, which k-means chooses for the
    tensor; with Ŵ the result, the score is ‖W − Ŵ‖² / ‖W‖², its mean over all weights of
    convolutions and linear layers.

    Of the paper, the codebook is kept. Not kept is its joint learning of codebooks and mappings,
    which is where most of its accuracy comes from: this is what a network loses untrained, and
    must not be compared with the paper's tables. Normal weights lose 0.118, 0.0345 and 0.00950
    with k = 4, 8 and 16 whatever the network (Lloyd and Max); heavier tails lose less or more.
    What a network's answers lose is `codebook_area`.

    Args:
        model: The network.
        k: Number of values in a codebook.

    Returns:
        From 0 (no tensor has more than k different weights) to 1. Unchanged by the scale of a
        tensor and by the order of its weights.

    Raises:
        InputError: k is less than 1.
        ScoreUndefinedError: the network has no convolution or linear layer.

    References:
        Yvinec et al., "Network Memory Footprint Compression Through Jointly Learnable Codebooks
            and Mappings", 2023, https://arxiv.org/abs/2309.17361
        Lloyd, "Least Squares Quantization in PCM", IEEE Transactions on Information Theory 1982.

    >>> import torch
    >>> layer = nn.Linear(2, 2)
    >>> _ = layer.weight.data.copy_(torch.tensor([[1.0, 1.2], [3.0, 3.2]]))
    >>> round(codebook_error(layer, k=2), 6)  # to 1.1 and 3.1: 4 · 0.1² / 21.68
    0.001845
    """
    if k < 1:
        raise InputError(f"k must be a whole number from 1 up, but is {k}.")
    return relative_error(model, lambda weight: with_codebook(weight, k))
