"""The neural tangent kernel: how much one image's gradient moves the answer to another."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import Images, logits_of
from zoo_eval.quantities.module_state import differentiable, in_mode, module_mode

# Gradient entries held at a time, over all images: 1 GiB in float32.
_HELD = 1 << 28

# Columns per matrix product in float64, few enough for the cache: a quarter of the time less.
_CHUNK = 1 << 16


def tangent_kernel(
    model: nn.Module,
    images: Images,
    response: Callable[[Tensor], Tensor],
    mode: str = "eval",
) -> Float[np.ndarray, "n n"]:
    """Θᵢⱼ = ⟨∇f(xᵢ), ∇f(xⱼ)⟩ in float64, added up over groups of parameters.

    ∇ runs over all parameters with "weight" in their name: convolutions, linear layers and the
    scales of norms, but no biases, position tables or class tokens.

    Args:
        model: The network.
        images: x₁ … xₙ.
        response: f, from logits (n, classes) to one number for each image.
        mode: As of the scores' option: in "paper", train mode, images see each other.

    Raises:
        InputError: another mode.
        ScoreUndefinedError: no parameter has "weight" in its name.
    """
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
        together = response(logits_of(model, images)) if mode == "paper" else None

        def of_image(image: int) -> Tensor:
            if together is None:
                return response(logits_of(model, images[image : image + 1]))[0]
            return together[image]

        for group in _groups(weights, _HELD // n):
            for rows in _gradient_rows(of_image, n, group):
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
