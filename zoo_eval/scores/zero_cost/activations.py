"""Activations of one image: the strongest of the plain baselines."""

from zoo_eval.quantities.resources import Resources
from zoo_eval.scores._score import score


@score(
    unit="elements per image",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=None,
    cost="1 forward of one image",
)
def activations(resources: Resources) -> float:
    """Number of output elements of all convolutions and linear layers for one image.

    The convention of timm's benchmark tables (column `macts`). A layer that is applied
    twice counts twice; attention maps are not counted.

    Args:
        resources: Cost of one image.

    Returns:
        A whole number ≥ 0; grows with the area of the image.

    References:
        Radosavovic et al., "Designing Network Design Spaces", CVPR 2020, Section 3.3,
            https://arxiv.org/abs/2003.13678

    >>> activations(Resources(macs=6, activations=2))
    2.0
    """
    return float(resources.activations)
