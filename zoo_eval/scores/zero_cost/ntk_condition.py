"""NTK condition number: does the network learn in all directions at one speed?"""

import numpy as np
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.gradients import Images
from zoo_eval.quantities.tangent_kernel import tangent_kernel
from zoo_eval.scores._score import INITIAL, score


@score(
    unit="dimensionless",
    higher_is_better=False,
    bounds=(1.0, float("inf")),
    weights=INITIAL,
    cost="n forward and backward of one image",
)
def ntk_condition(model: nn.Module, probe_images: Images, *, mode: str = "eval") -> float:
    """Condition number of the neural tangent kernel, λ_max / λ_min of Θ.

    Θᵢⱼ = ⟨∇f(xᵢ), ∇f(xⱼ)⟩, where f(x) is the sum of the logits of image x and ∇ runs over all
    parameters with "weight" in their name: convolutions, linear layers and the scales of
    norms, but no biases, position tables or class tokens, as in the published program.

    The program keeps all n gradients at once, in float32, and gives 10⁵ where κ is not a number.
    Here Θ is added up in float64 over groups of parameters that need at most 2 GiB (each
    group costs another pass), and a singular Θ is undefined. Mind that κ spans many orders
    of magnitude: its rank is what compares. ZenNAS returns −κ.

    Args:
        model: The network.
        probe_images: n ≥ 2 different images, shape (n, channels, height, width). The value
            grows with n, so only values with the same n compare.
        mode: "eval", or "paper": train mode as in the published program, where batch norm
            makes an image's logits depend on the others; this costs n backward passes of the
            whole batch.

    Returns:
        From 1 (gradients orthogonal and equally long) up. Unchanged by the order of the
        images and by the scale of the logits.

    Raises:
        InputError: fewer than two images, or another `mode`.
        ScoreUndefinedError: the network has no parameter with "weight" in its name; Θ is
            singular (two images are the same; no weight moves the logits; or fewer weights
            than images do); or a gradient is not finite.

    References:
        Chen et al., "Neural Architecture Search on ImageNet in Four GPU Hours: A Theoretically
            Inspired Perspective", ICLR 2021, Section 3.1, https://arxiv.org/abs/2102.11535
    """
    n = len(probe_images)
    if n < 2:
        raise InputError(f"ntk_condition compares images, but got {n} of them.")
    kernel = tangent_kernel(model, probe_images, lambda logits: logits.sum(dim=1), mode)
    if not np.isfinite(kernel).all():
        bad = int((~np.isfinite(np.diagonal(kernel))).sum())
        raise ScoreUndefinedError(
            f"The gradients of {bad} of {n} images are NaN or infinite. Does the network overflow "
            "with these weights?"
        )
    eigenvalues = np.linalg.eigvalsh(kernel)
    if eigenvalues[0] <= n * np.finfo(np.float64).eps * eigenvalues[-1]:
        raise ScoreUndefinedError(
            f"The tangent kernel of {n} images is singular: its eigenvalues run from "
            f"{eigenvalues[0]:.3g} to {eigenvalues[-1]:.3g}. Are two images the same, or the "
            "weights of the classifier zero?"
        )
    return float(eigenvalues[-1] / eigenvalues[0])
