"""NTK condition number: does the network learn in all directions at one speed?"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.gradients import Images, logits_of
from zoo_eval.quantities.module_state import differentiable, in_mode, module_mode
from zoo_eval.scores._score import INITIAL, score

# Gradient entries held at a time, over all images: 1 GiB in float32.
_HELD = 1 << 28

# Columns per matrix product in float64, few enough for the cache: a quarter of the time less.
_CHUNK = 1 << 16


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
    Here Θ is added up in float64 over groups of parameters that need at most 1 GiB (each
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
    kernel = _kernel(model, probe_images, mode)
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


def _kernel(model: nn.Module, images: Images, mode: str) -> Float[np.ndarray, "n n"]:
    """Θ in float64, group by group."""
    n = len(images)
    weights = [
        p for name, p in model.named_parameters() if "weight" in name and p.is_floating_point()
    ]
    if not weights:
        raise ScoreUndefinedError(
            f"{type(model).__name__} has no parameter with 'weight' in its name among its "
            f"{sum(1 for _ in model.parameters())}."
        )
    kernel = torch.zeros(n, n, dtype=torch.float64, device=weights[0].device)
    with in_mode(model, module_mode(mode)), differentiable(weights):
        # In train mode images see each other, and one graph must serve all; else one at a time.
        together = logits_of(model, images).sum(dim=1) if mode == "paper" else None

        def response(image: int) -> Tensor:
            if together is None:
                return logits_of(model, images[image : image + 1]).sum()
            return together[image]

        for group in _groups(weights, _HELD // n):
            for rows in _gradient_rows(response, n, group):
                for chunk in rows.split(_CHUNK, dim=1):
                    columns = chunk.double()
                    kernel += columns @ columns.T
    return kernel.cpu().numpy()


def _groups(weights: list[nn.Parameter], size: int) -> Iterator[list[nn.Parameter]]:
    """Cut a list into runs with at most `size` elements, or of one tensor."""
    group: list[nn.Parameter] = []
    for weight in weights:
        if group and sum(w.numel() for w in group) + weight.numel() > size:
            yield group
            group = []
        group.append(weight)
    yield group


def _gradient_rows(
    response: Callable[[int], Tensor], n: int, weights: list[nn.Parameter]
) -> Iterator[Float[Tensor, "n weights"]]:
    """For each weight tensor in turn, the gradients of all responses there."""
    rows = [weight.new_empty((n, weight.numel()), requires_grad=False) for weight in weights]
    for image in range(n):
        value = response(image)
        gradients = torch.autograd.grad(value, weights, retain_graph=True, materialize_grads=True)
        for row, gradient in zip(rows, gradients, strict=True):
            row[image] = gradient.flatten()
    yield from rows
