"""Pruning a network, and a few steps of training what is left."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.gradients import (
    logits_of,
    loss_gradients,
    mean_cross_entropy,
    needed_weights,
    streamed,
)
from zoo_eval.quantities.module_state import in_mode
from zoo_eval.transforms.pruning import pruned

HeadLabels = Int[np.ndarray, " n"] | None
Mask = Bool[Tensor, "..."]

_BATCH = 32
_MOMENTUM = 0.9
_MOST_IMAGES = 512


class Labelled(NamedTuple):
    """Images and what their classes are called by the network's head."""

    images: Float[Tensor, "n channels height width"]
    labels: Int[Tensor, " n"]


def plasticity(
    model: nn.Module,
    halves: tuple[Labelled, Labelled],
    *,
    share: float,
    steps: int,
    rate: float,
    regrown: float = 0.0,
) -> float:
    """Accuracy after pruning and training, less that before, of a copy of the network.

    Args:
        model: The network.
        halves: Images to train on, and images to evaluate on.
        share: Of the weights that is zero in the end, the smallest of the whole network.
        steps: Of training, by stochastic gradient descent with momentum 0.9, on 32 images each.
        rate: Its learning rate.
        regrown: Share of the weights left that are pruned too; as many of the same tensor, whose
            gradients are the largest where weights are zero, then come back, from zero.

    Raises:
        InputError: a share is not in [0, 1), or there are fewer than no steps.
    """
    for name, value in (("share", share), ("regrown", regrown)):
        if not 0 <= value < 1:
            raise InputError(f"{name} must be at least 0 and less than 1, but is {value!r}.")
    if steps < 0:
        raise InputError(f"steps must be 0 or more, but is {steps!r}.")
    training, test = halves
    student = copy.deepcopy(model).requires_grad_(True)
    weights = [weight for _, weight in needed_weights(student)]
    with in_mode(student, "eval"):
        before = _accuracy(student, test)
        masks = prune(student, training, share, regrown)
        _train(student, weights, masks, training, steps, rate)
        return _accuracy(student, test) - before


def halves_of(images: Iterable[Tensor], head_labels: HeadLabels) -> tuple[Labelled, Labelled]:
    """Up to 512 images, of each class in proportion, and of these every other one of a class.

    Raises:
        ScoreUndefinedError: the head does not know the dataset's classes; or there is one image.
    """
    if head_labels is None:
        raise ScoreUndefinedError(
            "Training a network on needs labels that its head knows, but its classes do not "
            "include the dataset's."
        )
    n = len(head_labels)
    if n < 2:
        raise ScoreUndefinedError("Two halves of the images are needed, but there is 1 image.")
    by_class = np.argsort(head_labels, kind="stable")
    chosen = by_class[np.linspace(0, n - 1, min(n, _MOST_IMAGES)).astype(np.int64)]
    rows = _rows(images, np.sort(chosen))
    places = np.searchsorted(np.sort(chosen), chosen)  # where each chosen image is now
    labels = torch.from_numpy(head_labels[chosen]).to(rows.device)
    parts = (slice(0, None, 2), slice(1, None, 2))
    first, second = (Labelled(rows[places[part]], labels[part]) for part in parts)
    return first, second


def _rows(batches: Iterable[Tensor], places: Int[np.ndarray, " n"]) -> Tensor:
    """Images at ascending places; the others are not kept."""
    found: list[Tensor] = []
    start = 0
    for batch in batches:
        inside = places[(places >= start) & (places < start + len(batch))] - start
        found.append(batch[torch.from_numpy(inside).to(batch.device)])
        start += len(batch)
    return torch.cat(found)


def prune(student: nn.Module, training: Labelled, share: float, regrown: float) -> list[Mask]:
    """Let the smallest weights be zero; masks of those that are left, one for each tensor."""
    weights = [weight for _, weight in needed_weights(student)]
    masks = _largest(weights, share)
    if regrown:
        left = _largest(weights, share + regrown * (1 - share))
        _apply(left, weights)
        gradients = loss_gradients(student, *training, "eval")
        masks = [
            _regrow(mask, layer.gradient, int(wanted.sum()))
            for mask, layer, wanted in zip(left, gradients, masks, strict=True)
        ]
    _apply(masks, weights)
    return masks


def _regrow(mask: Mask, gradient: Tensor, n_wanted: int) -> Mask:
    """A mask with so many entries: those it has, and those of largest gradient of the others."""
    n_new = n_wanted - int(mask.sum())
    sizes = gradient.abs().masked_fill(mask, -1).flatten()
    grown = mask.flatten().clone()
    grown[sizes.topk(n_new).indices] = True
    return grown.view_as(mask)


def _largest(weights: Sequence[Tensor], share: float) -> list[Mask]:
    return [weight != 0 for weight in pruned([w.detach() for w in weights], share)]


def _apply(masks: Sequence[Mask], weights: Sequence[Tensor]) -> None:
    with torch.no_grad():
        for mask, weight in zip(masks, weights, strict=True):
            weight.mul_(mask)


def _train(
    student: nn.Module,
    weights: Sequence[Tensor],
    masks: Sequence[Mask],
    training: Labelled,
    steps: int,
    rate: float,
) -> None:
    optimiser = torch.optim.SGD(student.parameters(), lr=rate, momentum=_MOMENTUM)
    for places in islice(_draws(len(training.labels)), steps):
        images, labels = (rows[places.to(rows.device)] for rows in training)
        optimiser.zero_grad()
        with torch.enable_grad():
            for part, of_part, part_share in streamed(images, labels, "eval"):
                (mean_cross_entropy(student, part, of_part) * part_share).backward()
        optimiser.step()
        _apply(masks, weights)


def _draws(n: int) -> Iterator[Int[Tensor, " batch"]]:
    """Batches of places, each place once before any comes again; without end."""
    rng = np.random.default_rng(0)
    epochs = (torch.from_numpy(rng.permutation(n)) for _ in iter(int, 1))
    return chain.from_iterable(places.split(_BATCH) for places in epochs)


def _accuracy(model: nn.Module, test: Labelled) -> float:
    with torch.no_grad():
        classes = torch.cat(
            [logits_of(model, part).argmax(1) for part in test.images.split(_BATCH)]
        )
    return float((classes == test.labels).double().mean())
