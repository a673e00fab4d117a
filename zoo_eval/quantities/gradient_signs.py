"""How the signs of the images' gradients agree, without keeping a gradient.

GradSign is Σₖ |Σᵢ sign(gᵢₖ)| over weights k and images i. The inner sums are whole numbers of at
most n, so one byte per weight holds them up to 127 images, and the gradient of an image is added
up as soon as it is known: no n × K matrix, as the published programs keep.

The images pass the network in parts, whose gradients are told apart layer by layer
(`per_image_gradients`). Where an image is a single token of a layer, its gradient is an outer
product δaᵀ, so that sign(gᵢₖ) is a product of signs and the sum over images one matrix product.
Networks whose gradients cannot be told apart pass one image at a time. A sign may differ from the
one of a pass of one image only where rounding does: where the gradient is zero up to the rounding
of the terms that it sums.
"""

from contextlib import suppress
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities._quantity import Precision, quantity
from zoo_eval.quantities.gradients import Images, Labels, mean_cross_entropy, needed_weights
from zoo_eval.quantities.module_state import Mode, differentiable, in_mode
from zoo_eval.quantities.per_image_gradients import each_gradient
from zoo_eval.quantities.precision import in_precision
from zoo_eval.quantities.sign_sums import SignSums
from zoo_eval.quantities.watched_layers import NotPerImageError


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
def gradient_signs(
    model: nn.Module,
    probe_images: Images,
    probe_labels: Labels,
    gradient_precision: Precision = "fp32",
) -> GradientSigns:
    """Agreement of the signs of single images' gradients, in eval mode.

    In bfloat16, where somebody asked for it: a sign survives rounding unless the gradient is next
    to zero.
    """
    return sign_agreement(model, probe_images, probe_labels, "eval", gradient_precision)


def sign_agreement(
    model: nn.Module,
    images: Images,
    labels: Labels,
    mode: Mode,
    precision: Precision = "fp32",
) -> GradientSigns:
    """Pass the images forward and backward, and add up the signs per weight.

    Memory is one copy of the weights beside what a pass of four images needs, whatever the
    number of images. In train mode the images pass one by one, and batch norm takes its
    statistics from the one image.

    Raises:
        InputError: a label that the network's head does not have.
        ScoreUndefinedError: no convolution or linear layer; a gradient that is NaN; or, in
            train mode, a batch norm that sees one value per channel, as one image's pooled
            features are.
    """
    weights = [weight for _, weight in needed_weights(model)]
    sums = None
    if mode == "eval":
        with suppress(NotPerImageError):
            sums = _in_parts(model, images, labels, weights, precision)
    if sums is None:
        sums = _one_by_one(model, images, labels, mode, weights, precision)
    return GradientSigns(sums.agreement(), sums.n_weights)


def _one_by_one(
    model: nn.Module,
    images: Images,
    labels: Labels,
    mode: Mode,
    weights: list[nn.Parameter],
    precision: Precision,
) -> SignSums:
    sums = SignSums(weights, len(images))
    rounded = in_precision(precision, weights[0].device)
    with in_mode(model, mode), rounded, differentiable(weights):
        for image, label in zip(images.split(1), labels.split(1), strict=True):
            for position, gradient in enumerate(_of_one(model, image, label, weights)):
                sums.add(position, 0, gradient.reshape(-1))
    return sums


def _of_one(
    model: nn.Module, image: Images, label: Labels, weights: list[nn.Parameter]
) -> tuple[Tensor, ...]:
    try:
        loss = mean_cross_entropy(model, image, label)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise ScoreUndefinedError(
            f"One image alone cannot pass this network in train mode: {error}. Use mode='eval'."
        ) from error
    return torch.autograd.grad(loss, weights, materialize_grads=True)


def _in_parts(
    model: nn.Module,
    images: Images,
    labels: Labels,
    weights: list[nn.Parameter],
    precision: Precision,
) -> SignSums:
    """Raises NotPerImageError where the images' gradients cannot be told apart."""

    def summed_loss(part: Tensor, numbers: list[int]) -> Tensor:
        return mean_cross_entropy(model, part, labels[numbers]) * len(part)

    sums = SignSums(weights, len(images))
    with in_mode(model, "eval"), in_precision(precision, weights[0].device):
        each_gradient(model, images, weights, summed_loss, sums.add_images)
    return sums
