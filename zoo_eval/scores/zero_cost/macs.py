"""Multiply-accumulates of one image: the baseline for compute."""

from zoo_eval.quantities.resources import Resources
from zoo_eval.scores._score import score


@score(
    unit="multiply-accumulates per image",
    higher_is_better=True,
    bounds=(0.0, float("inf")),
    weights=None,
    cost="1 forward of one image",
)
def macs(resources: Resources) -> float:
    """Multiply-accumulates of convolutions and matrix products for one image.

    Half of torch's count of floating-point operations. The products q kᵀ and (softmax) v of
    attention are included, whether or not a fused kernel would compute them; norms,
    activations, pooling and biases are not.

    Args:
        resources: Cost of one image.

    Returns:
        A whole number ≥ 0; grows with the area of the image.

    References:
        Abdelfattah et al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021,
            https://arxiv.org/abs/2101.08134 (as a baseline)

    >>> macs(Resources(macs=6, activations=2))
    6.0
    """
    return float(resources.macs)
