"""Share of filters that do nothing."""

from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores._score import score
from zoo_eval.scores.weights._slices import slices

_TINY = 0.01  # of a layer's largest weight, as in the published program


@score(unit="fraction", higher_is_better=False, bounds=(0.0, 1.0), cost="none")
def filter_sparsity(model: nn.Module) -> float:
    """Share of a layer's spatial slices whose weights are all below 1 % of its largest, mean.

    A slice has the weights from one input channel to one output channel. Convolutions with a
    kernel larger than 1 × 1 count, each the same; the published program looks at 3 × 3 alone.

    The survey that stands behind this score has no measure of its own; the measure is Gavrikov
    and Keuper's, to whom empty slices are capacity that training did not use.

    Args:
        model: The network.

    Returns:
        From 0 (every slice does something) to 1 (none does: all weights are zero). Unchanged by
        the scale of a layer.

    Raises:
        ScoreUndefinedError: no convolution has a kernel larger than 1 × 1.

    References:
        "On Filter Design in Deep Convolutional Neural Network", 2024,
            https://arxiv.org/abs/2410.21644 (a survey)
        Gavrikov and Keuper, "CNN Filter DB: An Empirical Investigation of Trained Convolutional
            Filters", CVPR 2022, https://arxiv.org/abs/2203.15331

    >>> layer = nn.Conv2d(1, 4, 3)
    >>> _ = layer.weight.data[:3].zero_()
    >>> filter_sparsity(layer)
    0.75
    """
    shares = [
        float((largest < _TINY * largest.max()).double().mean()) if largest.any() else 1.0
        for largest in (rows.abs().amax(dim=1) for rows in slices(model))
    ]
    if not shares:
        raise ScoreUndefinedError(
            f"Sparsity of filters needs a convolution larger than 1 × 1, but "
            f"{type(model).__name__} has none."
        )
    return sum(shares) / len(shares)
