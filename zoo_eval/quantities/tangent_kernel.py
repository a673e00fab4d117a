"""The neural tangent kernel: how much one image's gradient moves the answer to another."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import Images, logits_of
from zoo_eval.quantities.module_state import differentiable, in_mode, module_mode
from zoo_eval.quantities.per_image_gradients import LayerPart, each_gradient
from zoo_eval.quantities.watched_layers import NotPerImageError

# Gradient entries held at a time, over all images: 2 GiB in float32.
_HELD = 1 << 29

# Columns per matrix product in float64, few enough for the cache: a quarter of the time less.
_CHUNK = 1 << 16

# From logits (n, classes) to one number for each image.
Response = Callable[[Tensor], Tensor]


def tangent_kernel(
    model: nn.Module,
    images: Images,
    response: Response,
    mode: str = "eval",
) -> Float[np.ndarray, "n n"]:
    """Θᵢⱼ = ⟨∇f(xᵢ), ∇f(xⱼ)⟩ in float64, added up over groups of parameters.

    ∇ runs over all parameters with "weight" in their name: convolutions, linear layers and the
    scales of norms, but no biases, position tables or class tokens. In eval mode the images pass
    in parts whose gradients are told apart (`per_image_gradients`), or one at a time where the
    network does not allow that; in train mode one graph serves all, as images see each other.

    Args:
        model: The network.
        images: x₁ … xₙ.
        response: f.
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
    with in_mode(model, module_mode(mode)):
        for group in _groups(weights, _HELD // n):
            for rows in _gradient_rows(model, images, response, group, mode):
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
    model: nn.Module, images: Images, response: Response, weights: list[nn.Parameter], mode: str
) -> list[Tensor]:
    """The gradients of all responses, for each weight tensor flat in an order of its own."""
    n = len(images)
    rows = [weight.new_zeros((n, weight.numel()), requires_grad=False) for weight in weights]
    if mode != "paper":
        with suppress(NotPerImageError):
            _fill_in_parts(rows, model, images, response, weights)
            return rows
    _fill_one_by_one(rows, model, images, response, weights, mode)
    return rows


def _fill_one_by_one(
    rows: list[Tensor],
    model: nn.Module,
    images: Images,
    response: Response,
    weights: list[nn.Parameter],
    mode: str,
) -> None:
    with differentiable(weights):
        together = response(logits_of(model, images)) if mode == "paper" else None
        for image in range(len(images)):
            if together is None:
                value = response(logits_of(model, images[image : image + 1]))[0]
            else:
                value = together[image]
            gradients = torch.autograd.grad(
                value, weights, retain_graph=True, materialize_grads=True
            )
            for row, gradient in zip(rows, gradients, strict=True):
                row[image] = gradient.flatten()


def _fill_in_parts(
    rows: list[Tensor],
    model: nn.Module,
    images: Images,
    response: Response,
    weights: list[nn.Parameter],
) -> None:
    """Raises NotPerImageError where the images' gradients cannot be told apart."""

    def respond(part: Tensor, _: list[int]) -> Tensor:
        return response(logits_of(model, part)).sum()

    def fill(layer: LayerPart) -> None:
        for place in layer.new:
            row = rows[layer.position][layer.images[place]]
            for start, block in layer.blocks(place):
                row[start : start + len(block)] = block

    each_gradient(model, images, weights, respond, fill)
