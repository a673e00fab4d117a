"""How different the filters of a layer are from each other."""

import torch
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import needed_weights
from zoo_eval.scores._score import score


@score(unit="dimensionless", higher_is_better=True, bounds=(0.0, 1.0), cost="none")
def filter_orthogonality(model: nn.Module) -> float:
    """One less the mean absolute cosine between the filters of a layer, mean over layers.

    A layer's n filters are the rows of its weight, one per output channel, scaled to length 1; its
    orthogonality is 1 − Σ_{i≠j} |wᵢ·wⱼ| / (n (n − 1)). Convolutions and linear layers with two
    rows or more count, each the same; the published program looks at 3 × 3 convolutions alone.

    The survey that stands behind this score has no measure of its own; the measure is Gavrikov
    and Keuper's. More than d filters of d weights cannot all be orthogonal: values compare
    between layers of like shapes.

    Args:
        model: The network.

    Returns:
        From 0 (all filters are multiples of one) to 1 (orthogonal, or zero). Unchanged by the
        scale of a filter and by rotations of its inputs.

    Raises:
        ScoreUndefinedError: no convolution or linear layer has two rows.

    References:
        "On Filter Design in Deep Convolutional Neural Network", 2024,
            https://arxiv.org/abs/2410.21644 (a survey)
        Gavrikov and Keuper, "CNN Filter DB: An Empirical Investigation of Trained Convolutional
            Filters", CVPR 2022, https://arxiv.org/abs/2203.15331

    >>> layer = nn.Linear(2, 2)
    >>> _ = layer.weight.data.copy_(torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
    >>> round(filter_orthogonality(layer), 6)
    0.4
    """
    values = [_of_layer(weight) for _, weight in needed_weights(model) if len(weight) > 1]
    if not values:
        raise ScoreUndefinedError(
            f"Orthogonality needs a layer with two or more output channels, but "
            f"{type(model).__name__} has none."
        )
    return sum(values) / len(values)


def _of_layer(weight: Tensor) -> float:
    rows = torch.nn.functional.normalize(weight.detach().flatten(1).double(), eps=1e-300)
    n = len(rows)
    cosines = (rows @ rows.T).abs_().fill_diagonal_(0)
    return min(max(1 - float(cosines.sum()) / (n * (n - 1)), 0.0), 1.0)
