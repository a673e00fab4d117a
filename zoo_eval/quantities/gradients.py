"""Gradients of the probe batch's loss, and how the signs of its images' gradients agree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities._quantity import quantity
from zoo_eval.quantities.module_state import Mode, differentiable, in_mode, weight_tensors

Images = Float[Tensor, "n channels height width"]
Labels = Int[Tensor, " n"]

# Images whose graph of gradients is held at once: 64 of ViT-S would need 14 GB for GraSP.
_AT_ONCE = 16


class WeightGradient(NamedTuple):
    """A weight of a convolution or linear layer and the gradient of the loss there."""

    name: str
    weight: Tensor
    gradient: Tensor


@quantity
def probe_gradients(
    model: nn.Module, probe_images: Images, probe_labels: Labels
) -> tuple[WeightGradient, ...]:
    """∂L/∂W for every weight W of a convolution or linear layer; L as in `loss_gradients`.

    In eval mode: batch norm uses its running statistics, so no image sees another.
    """
    return loss_gradients(model, probe_images, probe_labels, "eval")


def loss_gradients(
    model: nn.Module, images: Images, labels: Labels, mode: Mode
) -> tuple[WeightGradient, ...]:
    """Gradient of the mean cross-entropy of a batch. A weight that is not used gets zeros.

    Raises:
        InputError: a label that the network's head does not have.
        ScoreUndefinedError: the network has no convolution or linear layer.
    """
    named = needed_weights(model)
    weights = [weight for _, weight in named]
    gradients: list[Tensor] = []
    with in_mode(model, mode), differentiable(weights):
        for part, of_part, share in streamed(images, labels, mode):
            loss = mean_cross_entropy(model, part, of_part) * share
            of_loss = torch.autograd.grad(loss, weights, materialize_grads=True)
            add_to(gradients, of_loss)
    return tuple(
        WeightGradient(name, weight.detach(), gradient)
        for (name, weight), gradient in zip(named, gradients, strict=True)
    )


def at_once(images: Images, mode: Mode) -> int:
    """How many images of a batch pass the network together.

    In eval mode no image sees another, so parts give the same mean loss in less memory; the
    number of images never shrinks to fit. In train mode batch norm needs the whole batch.
    """
    return min(_AT_ONCE, len(images)) if mode == "eval" else len(images)


def streamed(images: Images, labels: Labels, mode: Mode) -> Iterator[tuple[Images, Labels, float]]:
    """A batch in parts that pass the network one after another, and each part's share of it."""
    size = at_once(images, mode)
    for part, of_part in zip(images.split(size), labels.split(size), strict=True):
        yield part, of_part, len(part) / len(images)


def add_to(sums: list[Tensor], terms: Sequence[Tensor]) -> None:
    """Add tensors to running sums, which the first ones begin."""
    if not sums:
        sums.extend(terms)
        return
    for total, term in zip(sums, terms, strict=True):
        total += term


@dataclass(frozen=True)
class GradientSigns:
    """How far the images agree on the direction in which each weight should move.

    Attributes:
        agreement: Σₖ |Σᵢ sign gᵢₖ| over weights k and images i.
        n_weights: Number of weights.
    """

    agreement: float
    n_weights: int


@quantity
def gradient_signs(model: nn.Module, probe_images: Images, probe_labels: Labels) -> GradientSigns:
    """Agreement of the signs of single images' gradients, in eval mode."""
    return sign_agreement(model, probe_images, probe_labels, "eval")


def sign_agreement(model: nn.Module, images: Images, labels: Labels, mode: Mode) -> GradientSigns:
    """Pass one image at a time forward and backward, and add up the signs per weight.

    Memory is two copies of the weights (one gradient, one sum), whatever the number of
    images. In train mode batch norm takes its statistics from the one image.

    Raises:
        InputError: a label that the network's head does not have.
        ScoreUndefinedError: no convolution or linear layer; a gradient that is NaN; or, in
            train mode, a batch norm that sees one value per channel, as one image's pooled
            features are.
    """
    weights = [weight for _, weight in needed_weights(model)]
    sums = [torch.zeros_like(weight, requires_grad=False) for weight in weights]
    is_nan = [torch.zeros((), dtype=torch.bool, device=weight.device) for weight in weights]
    with in_mode(model, mode), differentiable(weights):
        for image, label in zip(images.split(1), labels.split(1), strict=True):
            try:
                loss = mean_cross_entropy(model, image, label)
            except ValueError as error:
                if "more than 1 value per channel" not in str(error):
                    raise
                raise ScoreUndefinedError(
                    f"One image alone cannot pass this network in train mode: {error}. "
                    "Use mode='eval'."
                ) from error
            gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
            for total, nan, gradient in zip(sums, is_nan, gradients, strict=True):
                total += gradient.sign()
                nan |= gradient.isnan().any()  # torch's sign of NaN is 0
    n_nan = sum(map(bool, is_nan))
    if n_nan:
        raise ScoreUndefinedError(
            f"The gradients of {n_nan} of {len(weights)} weight tensors hold NaN. Does the network "
            "overflow with these weights?"
        )
    agreement = sum(total.abs().sum(dtype=torch.float64).item() for total in sums)
    return GradientSigns(float(agreement), sum(weight.numel() for weight in weights))


def needed_weights(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """`weight_tensors`, of which there must be at least one.

    Raises:
        ScoreUndefinedError: the network has no convolution or linear layer.
    """
    named = weight_tensors(model)
    if not named:
        raise ScoreUndefinedError(
            f"{type(model).__name__} has no convolution or linear layer with a weight among its "
            f"{sum(1 for _ in model.modules())} modules."
        )
    return named


def mean_cross_entropy(model: nn.Module, images: Images, labels: Labels) -> Float[Tensor, ""]:
    """Mean cross-entropy (nats) of a batch.

    Raises:
        InputError: a label that the network's head does not have.
    """
    logits = logits_of(model, images)
    n_classes = logits.shape[1]
    # Checked here because a GPU would stop the whole process instead.
    if int(labels.min()) < 0 or int(labels.max()) >= n_classes:
        raise InputError(
            f"The probe labels run from {int(labels.min())} to {int(labels.max())}, but the "
            f"network has outputs 0 to {n_classes - 1}. Use labels as its head counts them."
        )
    return F.cross_entropy(logits, labels.to(logits.device, torch.int64))


def logits_of(model: nn.Module, images: Tensor) -> Float[Tensor, "n classes"]:
    """The network's outputs for images, which are moved to its device and dtype first.

    A network with several heads (distilled ones, in train mode) returns a tuple; its heads
    are averaged, which is what these networks do themselves in eval mode.

    Raises:
        InputError: the output is not one vector per image.
    """
    for weight in model.parameters():
        if weight.is_floating_point():
            images = images.to(weight.device, weight.dtype)
            break
    output: Any = model(images)
    if isinstance(output, (tuple, list)) and all(isinstance(o, Tensor) for o in output):
        output = torch.stack(list(output)).mean(dim=0)
    if not isinstance(output, Tensor) or output.ndim != 2 or len(output) != len(images):
        seen = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise InputError(
            f"{type(model).__name__} should return one vector of class scores for each of "
            f"{len(images)} images, but returned {seen}."
        )
    return output
