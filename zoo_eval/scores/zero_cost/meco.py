"""MeCo: how far from redundant are the channels of the feature maps?"""

import torch
from torch import Tensor, nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.gradients import Images, logits_of
from zoo_eval.quantities.module_state import in_mode, module_mode
from zoo_eval.scores._score import INITIAL, score
from zoo_eval.scores.zero_cost._layers import LayerOutput, layer_outputs

# What is left of a constant row when its mean is taken off in float64.
_ROUNDING = 1e-12


@score(
    unit="dimensionless",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=INITIAL,
    cost="1 forward of one image, and 1 eigendecomposition of channels × channels per layer",
)
def meco(model: nn.Module, probe_images: Images, *, mode: str = "eval") -> float:
    """Summed smallest eigenvalue of the channels' correlation, Σₗ λ_min(Pₗ).

    Pₗ is the Pearson correlation matrix of the channels of layer l's feature map, over its
    positions, for one image: the first. Layers are the modules without children (convolutions,
    norms, activations, pooling), identities and dropout excepted. Vectors have no positions and
    do not count.

    For outputs (n, tokens, channels) Pₗ is the correlation matrix of the *tokens* over the
    channels, as in the published program, which takes the first dimension of an image's output
    for the channels. With channels for channels λ_min would be 0 for every network with more
    channels than tokens. Maps with the channels last, (n, height, width, channels), are taken for
    tokens too; the program takes their rows.

    λ_min is 0 if a channel is constant, and if there are as many channels as positions or
    more: late, deep layers add nothing, and the wide early ones decide.

    The program also counts containers and the whole network, which return what their last
    part returned: for a small residual network 4.814 in place of 3.504 (in train mode).

    Args:
        model: The network.
        probe_images: Images, shape (n, channels, height, width); all but the first are unused.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            uses the one image's own statistics.

    Returns:
        From 0 to the number of layers. Unchanged by the scale and shift of each channel of a
        feature map.

    Raises:
        InputError: no image, or another `mode`.
        ScoreUndefinedError: no layer gave a feature map, or one is not finite; or, in train
            mode, a batch norm saw one value per channel.

    References:
        Jiang et al., "MeCo: Zero-Shot NAS with One Data and Single Forward Pass via Minimum
            Eigenvalue of Correlation", NeurIPS 2023,
            https://proceedings.neurips.cc/paper_files/paper/2023/hash/bfa815ac6f08f4ada34fe22be054f2b9-Abstract-Conference.html
    """
    if len(probe_images) == 0:
        raise InputError("meco needs one image, but got none.")
    smallest = smallest_eigenvalues(model, probe_images[:1], mode=mode)
    if not smallest:
        raise ScoreUndefinedError(
            f"meco needs feature maps, but none of the {sum(1 for _ in model.modules())} modules "
            f"of {type(model).__name__} returned one."
        )
    return sum(value for _, value in smallest)


def smallest_eigenvalues(
    model: nn.Module, image: Images, *, mode: str, containers: bool = False
) -> list[tuple[str, float]]:
    """Name and λ_min of each layer, in the order in which they end; of containers too if asked."""
    found: list[tuple[str, float]] = []

    def measure(output: LayerOutput) -> None:
        if output.values.ndim > 2:
            found.append((output.name, _smallest_eigenvalue(output)))

    watched = layer_outputs(model, 1, measure, containers=containers)
    with in_mode(model, module_mode(mode)), torch.no_grad(), watched:
        try:
            logits_of(model, image)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise ScoreUndefinedError(
                f"One image alone cannot pass this network in train mode: {error}. Use mode='eval'."
            ) from error
    return found


def _smallest_eigenvalue(output: LayerOutput) -> float:
    values = output.values.double()
    if not values.isfinite().all():
        raise ScoreUndefinedError(
            f"The output of layer {output.name!r} is not finite. Does the network overflow with "
            "these weights?"
        )
    maps = values.transpose(0, 1).flatten(1) if output.channel_dim == 1 else values.flatten(0, -2)
    if len(maps) >= maps.shape[1]:
        return 0.0  # less their means, the rows are linearly dependent
    centred = maps - maps.mean(dim=1, keepdim=True)
    norms = torch.linalg.vector_norm(centred, dim=1)
    if (norms <= _ROUNDING * torch.linalg.vector_norm(maps, dim=1)).any():
        return 0.0
    centred /= norms[:, None]
    return max(0.0, _lowest(centred @ centred.T))


def _lowest(matrix: Tensor) -> float:
    return float(torch.linalg.eigvalsh(matrix)[0])
