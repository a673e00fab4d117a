"""Variance entropy of 3 × 3 filters: how many different patterns a layer has."""

import math

import torch
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores._score import score
from zoo_eval.scores.weights._slices import slices

_LARGEST = math.log10(9)


@score(unit="decimal digits", higher_is_better=True, bounds=(0.0, math.inf), cost="none")
def filter_variance_entropy(model: nn.Module, *, for_size: bool = False) -> float:
    """Entropy of the variances of a layer's 3 × 3 slices, mean over layers.

    A layer's slices are its n = outputs × inputs per group matrices of 3 × 3 weights, as rows of 9,
    less their mean. With v the squared singular values of that n × 9 matrix, divided by their sum,
    its variance entropy is −Σ v log₁₀ v. Layers count the same.

    Few slices have a smaller entropy by chance. `for_size` divides by what random slices reach,
    1.2618 / (1 + exp(−0.88768 (log₂ n − 2.30436))) − 0.31051, a curve that the authors fitted.

    The survey that stands behind this score has no measure of its own, only a list of what makes
    a filter; the measure is Gavrikov and Keuper's. Their program looks at Conv2d of 3 × 3 alone;
    so does this.

    Args:
        model: The network.
        for_size: Whether to divide by the entropy of as many random slices.

    Returns:
        From 0 (all slices are multiples of one, or equal) to log₁₀ 9 = 0.954 (as random ones); with
        `for_size` about 1 is the most. Unchanged by the scale of a layer and the order of slices.

    Raises:
        ScoreUndefinedError: no 3 × 3 convolution has two slices or more.

    References:
        "On Filter Design in Deep Convolutional Neural Network", 2024,
            https://arxiv.org/abs/2410.21644 (a survey)
        Gavrikov and Keuper, "CNN Filter DB: An Empirical Investigation of Trained Convolutional
            Filters", CVPR 2022, https://arxiv.org/abs/2203.15331

    >>> layer = nn.Conv2d(1, 2, 3)
    >>> round(filter_variance_entropy(layer), 9)  # two slices differ in one direction
    0.0
    """
    found = [
        (rows, _entropy(rows)) for rows in slices(model) if rows.shape[1] == 9 and len(rows) > 1
    ]
    if not found:
        raise ScoreUndefinedError(
            f"Variance entropy needs a convolution with two or more slices of 3 × 3, but "
            f"{type(model).__name__} has none."
        )
    values = [value / _of_random(len(rows)) if for_size else value for rows, value in found]
    return sum(values) / len(values)


def _entropy(rows: Tensor) -> float:
    centred = rows - rows.mean(dim=0)
    variances = torch.linalg.svdvals(centred).square()
    total = variances.sum()
    # What is left of equal slices is rounding.
    if total <= (len(rows) * torch.finfo(rows.dtype).eps) ** 2 * rows.square().sum():
        return 0.0
    digits = float(torch.special.entr(variances / total).sum()) / math.log(10)
    return min(max(digits, 0.0), _LARGEST)


def _of_random(n: int) -> float:
    """Least entropy of n random slices, as fitted by the authors of torchconvquality."""
    return 1.2618047 / (1 + math.exp(-0.88767525 * (math.log2(n) - 2.30436435))) - 0.31050834
