"""NEAR: in how many directions do the layers use their channels?"""

import torch
from torch import Tensor, nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.activation_patterns import is_activation
from zoo_eval.quantities.gradients import Images, logits_of
from zoo_eval.quantities.module_state import in_mode, module_mode
from zoo_eval.scores._score import INITIAL, score
from zoo_eval.scores.zero_cost._layers import LayerOutput, has_weight, layer_outputs

# Rows that are turned to float64 together.
_CHUNK = 1 << 14


@score(
    unit="dimensions",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="1 forward, and 1 SVD of channels × channels per layer",
)
def near(
    model: nn.Module, probe_images: Images, *, rows: str = "square", mode: str = "eval"
) -> float:
    """Summed effective rank of the layers' outputs, Σₗ exp(H(σₗ / Σ σₗ)).

    σₗ are the singular values of a matrix Aₗ with one column per channel of layer l and one
    row per position; H is the entropy in nats. A layer is a convolution, linear layer, norm
    (pre-activation matrices) or activation as in `naswot` (post-activation matrices). timm's
    norms that hold their activation give both: the same number as a norm and an activation.

    Which rows, is the choice of `rows`. As in the paper, A is square: with C channels, C
    neighbouring rows, image by image, column by column. The program draws where they start
    (for a small network 146.28 from one draw); here it is the first position of the first
    image (152.58). All rows are taken if they are fewer, as at a head with more classes than
    images.

    The program fails on outputs (n, tokens, channels), as of any transformer; here the channels
    are the last dimension, and every token is a row. It also counts gates (sigmoid, softmax),
    counts a layer that runs several times once, and draws new weights for each repetition; here
    the weights are as given.

    Args:
        model: The network.
        probe_images: n images, shape (n, channels, height, width).
        rows: "square", or "all": all positions of all images. It needs no choice of rows, but
            is not the paper's.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the batch's own statistics.

    Returns:
        From 0 (all outputs are zero) to the summed number of channels, so it grows with width
        and depth. Unchanged by the scale of a layer's output; with `rows="all"` by the order of
        the images, but not with "square", where mostly the first ones count.

    Raises:
        InputError: another `rows` or `mode`.
        ScoreUndefinedError: no layer gave an output per image, or an output is not finite.

    References:
        Husistein et al., "NEAR: A Training-Free Pre-Estimator of Machine Learning Model
            Performance", ICLR 2025, https://arxiv.org/abs/2408.08776
        Roy and Vetterli, "The Effective Rank", EUSIPCO 2007.
    """
    if rows not in ("square", "all"):
        raise InputError(f"rows must be 'square' or 'all', but is {rows!r}.")
    ranks = effective_ranks(model, probe_images, rows=rows, mode=mode)
    if not ranks:
        raise ScoreUndefinedError(
            "near needs layers with weights or activations, but none of the "
            f"{sum(1 for _ in model.modules())} modules of {type(model).__name__} is one that "
            "gives an output per image."
        )
    return sum(rank for _, rank in ranks)


def effective_ranks(
    model: nn.Module, images: Images, *, rows: str, mode: str
) -> list[tuple[str, float]]:
    """Name and effective rank of each layer, in the order in which they run."""
    ranks: list[tuple[str, float]] = []

    def measure(output: LayerOutput) -> None:
        if has_weight(output.module) or is_activation(output.module):
            matrix = square_block(output) if rows == "square" else _triangular_factor(output)
            ranks.append((output.name, effective_rank(matrix, output.name)))

    watched = layer_outputs(model, len(images), measure)
    with in_mode(model, module_mode(mode)), torch.no_grad(), watched:
        logits_of(model, images)
    return ranks


def effective_rank(matrix: Tensor, name: str) -> float:
    """exp(H(σ / Σ σ)) of a float64 matrix, the output of the layer of this name."""
    if not matrix.isfinite().all():
        raise ScoreUndefinedError(
            f"The output of layer {name!r} is not finite. Does the network overflow with "
            "these weights?"
        )
    singular_values = torch.linalg.svdvals(matrix)
    total = singular_values.sum()
    return float(torch.special.entr(singular_values / total).sum().exp()) if total > 0 else 0.0


def square_block(output: LayerOutput, start: int = 0) -> Tensor:
    """C rows (or what is left of them) of C channels, from the row `start` on."""
    values = _channels_last(output)
    n_channels = values.shape[-1]
    per_image = values[0].numel() // n_channels
    first, end = start // per_image, start + n_channels
    needed = values[first : -(-end // per_image)].reshape(-1, n_channels)
    return needed[start - first * per_image : end - first * per_image].double()


def _triangular_factor(output: LayerOutput) -> Tensor:
    """A matrix with the singular values of all rows, in bounded memory."""
    values = _channels_last(output)
    n_channels = values.shape[-1]
    matrix = values.reshape(-1, n_channels)
    factor = matrix[:0].double()
    for chunk in matrix.split(max(_CHUNK, n_channels)):
        factor = torch.linalg.qr(torch.cat([factor, chunk.double()]), mode="r").R
    return factor


def _channels_last(output: LayerOutput) -> Tensor:
    values = output.values.movedim(output.channel_dim, -1)
    if output.channel_dim == 1 and values.ndim == 4:
        return values.transpose(1, 2)  # column by column, as the program counts the positions
    return values
