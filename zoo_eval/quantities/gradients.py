"""Gradients of the probe batch's loss."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities._quantity import quantity
from zoo_eval.quantities.channel_sensitivities import ChannelSensitivities, OverwrittenError
from zoo_eval.quantities.module_state import Mode, differentiable, in_mode, weight_tensors
from zoo_eval.quantities.parts import part_of

Images = Float[Tensor, "n channels height width"]
Labels = Int[Tensor, " n"]

# Images whose graph of gradients is held at once: 64 of ViT-S would need 14 GB for GraSP.
_AT_ONCE = 16


class WeightGradient(NamedTuple):
    """A weight of a convolution or linear layer and the gradient of the loss there."""

    name: str
    weight: Tensor
    gradient: Tensor


@dataclass(frozen=True)
class LossPass:
    """What one forward and backward pass of a batch tells.

    Attributes:
        gradients: ∂L/∂W for every weight W of a convolution or linear layer.
        sensitivity: Σₗ (weights per channel)ₗ Σ_c Δ_lc, as `ChannelSensitivities` has it.
    """

    gradients: tuple[WeightGradient, ...]
    sensitivity: float


@quantity
def probe_pass(model: nn.Module, probe_images: Images, probe_labels: Labels) -> LossPass:
    """The pass of the probe batch in eval mode.

    Batch norm uses its running statistics, so no image sees another.
    """
    return loss_pass(model, probe_images, probe_labels, "eval")


@quantity
def probe_gradients(probe_pass: LossPass) -> tuple[WeightGradient, ...]:
    """∂L/∂W of the probe batch in eval mode; L as in `loss_pass`."""
    return probe_pass.gradients


def loss_gradients(
    model: nn.Module, images: Images, labels: Labels, mode: Mode
) -> tuple[WeightGradient, ...]:
    """∂L/∂W as of `loss_pass`."""
    return loss_pass(model, images, labels, mode).gradients


def loss_pass(model: nn.Module, images: Images, labels: Labels, mode: Mode) -> LossPass:
    """Pass of L, the mean cross-entropy of a batch. A weight that is not used gets zeros.

    Raises:
        InputError: a label that the network's head does not have.
        ScoreUndefinedError: the network has no convolution or linear layer.
    """
    named = needed_weights(model)
    weights = [weight for _, weight in named]
    gradients: list[Tensor] = []
    sensitivity = 0.0
    # Copies of all outputs are large. Without them a pass may have to be repeated, which in train
    # mode would draw other random numbers.
    copies = mode == "train"
    with in_mode(model, mode), differentiable(weights):
        for part, of_part, share in streamed(images, labels, mode):
            try:
                of_loss, found = _pass(model, part, of_part, share, weights, copies=copies)
            except OverwrittenError:
                copies = True
                of_loss, found = _pass(model, part, of_part, share, weights, copies=copies)
            add_to(gradients, of_loss)
            sensitivity += share * found
    layers = (
        WeightGradient(name, weight.detach(), gradient)
        for (name, weight), gradient in zip(named, gradients, strict=True)
    )
    return LossPass(tuple(layers), sensitivity)


def _pass(
    model: nn.Module,
    images: Images,
    labels: Labels,
    share: float,
    weights: list[nn.Parameter],
    *,
    copies: bool,
) -> tuple[tuple[Tensor, ...], float]:
    watch = ChannelSensitivities(model, len(images), copies=copies)
    try:
        with watch:
            loss = mean_cross_entropy(model, images, labels) * share
        return torch.autograd.grad(loss, weights, materialize_grads=True), watch.total
    finally:
        watch.remove_hooks()


def at_once(images: Images, mode: Mode) -> int:
    """How many images of a batch pass the network together.

    In eval mode no image sees another, so parts give the same mean loss in less memory; the
    number of images never shrinks to fit. In train mode batch norm needs the whole batch.
    """
    return min(part_of(_AT_ONCE), len(images)) if mode == "eval" else len(images)


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
