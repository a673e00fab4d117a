"""Builds a network and gathers what its scores need from outside."""

from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo_eval.calibration import batch_size
from zoo_eval.datasets import Dataset
from zoo_eval.datasets.batches import ModelImages, balanced_places
from zoo_eval.datasets.label_spaces import head_labels, head_places
from zoo_eval.errors import ModelError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.build import build_model
from zoo_eval.models.determinism import switch_off_dropout
from zoo_eval.plan import Unit
from zoo_eval.quantities.batch_norm import calibrate_batch_norm
from zoo_eval.settings import Settings

_OF_NETWORK = frozenset(
    {"model", "images", "altered_images", "input_shape", "probe_images", "probe_labels"}
    | {"initial_model", "sibling_model"}
)
_PROBE = frozenset({"probe_images", "probe_labels"})
PIXEL_SIZE = 64  # side of the images in the given `pixels`, as in the DSMI authors' script


def choose_device(name: str) -> torch.device:
    """The device that a job names; `auto` is the first GPU, or the CPU.

    Raises:
        ModelError: torch does not know or cannot reach the device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ModelError(f"The device {name!r} cannot be used: {reason}") from error
    return device


def givens_of(
    unit: Unit, dataset: Dataset, settings: Settings, needed: Collection[str]
) -> dict[str, Any]:
    """The network, its images, and whatever else is needed: no network if only labels are.

    Args:
        unit: The network.
        dataset: The images.
        settings: Device, batch size, probe batch.
        needed: Names of all givens and quantities that scores will be computed from.

    Raises:
        ModelError: the network cannot be built, or the device not be used.
    """
    needed = frozenset(needed)
    givens: dict[str, Any] = {"labels": np.asarray(dataset.labels, dtype=np.int64)}
    if "pixels" in needed:
        givens["pixels"] = dataset.pixels(PIXEL_SIZE)
    if "head_labels" in needed:
        givens["head_labels"] = head_labels(unit.line.label_space, dataset)
    if needed & _OF_NETWORK:
        givens |= _of_network(unit, dataset, settings, needed)
    return givens


def _of_network(
    unit: Unit, dataset: Dataset, settings: Settings, needed: Collection[str]
) -> dict[str, Any]:
    needed = frozenset(needed)
    device = choose_device(settings.device)
    model = build_model(unit.line, unit.weights, unit.seed)
    switch_off_dropout(model)
    model.to(device)
    if not needed & _PROBE:
        # Convolutions run faster with channels last. But torch 2.13 crashes there in the backward
        # pass of MobileOne's and FastViT's parallel branches, so only where there is none.
        model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    images = ModelImages(
        dataset, unit.preprocessing, settings.batch_size or 1, device, settings.precision
    )
    if "images" in needed and settings.batch_size is None:
        images.batch_size = batch_size(settings.working_set, model, images.take([0]))
    size = unit.preprocessing.image_size
    givens: dict[str, Any] = {
        "model": model,
        "images": images,
        "altered_images": images.altered,
        "input_shape": (3, size, size),
        "gradient_precision": settings.gradient_precision,
    }
    if "sibling_model" in needed:
        other = unit.line.sibling
        givens["sibling_model"] = other and _built(other, "pretrained", 0).to(device)
    initial = [model] if unit.weights != "pretrained" else []
    if "initial_model" in needed:
        # The very start of its training, if the manifest's seed leads there again.
        seed = unit.seed if unit.line.seed is None else unit.line.seed
        givens["initial_model"] = _built(unit.line, "init", seed).to(device)
        initial.append(givens["initial_model"])
    if initial or needed & _PROBE:
        probe_images, probe_labels = _probe(unit, dataset, settings, images, model)
        givens["probe_images"], givens["probe_labels"] = probe_images, probe_labels
        for network in initial:
            calibrate_batch_norm(network, probe_images)
    return givens


def _built(line: ModelLine, weights: str, seed: int) -> nn.Module:
    """A network without dropout."""
    model = build_model(line, weights, seed)
    switch_off_dropout(model)
    return model


def _probe(
    unit: Unit, dataset: Dataset, settings: Settings, images: ModelImages, model: nn.Module
) -> tuple[Tensor, Tensor]:
    """The probe batch: the same images for every model, or noise that needs no dataset."""
    n_outputs = int(getattr(model, "num_classes", len(dataset.classes)))
    if settings.probe_source == "noise":
        return _noise(unit.preprocessing.image_size, n_outputs, settings, images.device)
    places = balanced_places(dataset.labels, settings.probe_n, settings.probe_seed)
    outputs = head_places(unit.line.label_space, dataset.classes)
    # A head that does not know the dataset's classes is asked for its first outputs instead.
    labels = [
        outputs[dataset.labels[place]] if outputs else dataset.labels[place] % n_outputs
        for place in places
    ]
    return images.take(places), torch.tensor(labels, device=images.device)


def _noise(
    size: int, n_outputs: int, settings: Settings, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Standard normal images with random labels; drawn on the CPU, so the same on every device."""
    generator = torch.Generator().manual_seed(settings.probe_seed)
    batch = torch.randn((settings.probe_n, 3, size, size), generator=generator)
    labels = torch.randint(n_outputs, (settings.probe_n,), generator=generator)
    return batch.to(device), labels.to(device)
