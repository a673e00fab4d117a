"""Evaluates one model: builds it, computes its scores, and never raises for a score's sake."""

import resource
import time
import traceback
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo_eval.calibration import batch_size
from zoo_eval.datasets import Dataset, ModelImages
from zoo_eval.datasets.batches import balanced_places
from zoo_eval.datasets.label_spaces import head_places
from zoo_eval.errors import ModelError, ScoreUndefinedError
from zoo_eval.models.build import build_model
from zoo_eval.models.determinism import calibrate_batch_norm, switch_off_dropout
from zoo_eval.plan import PlannedScore, Unit
from zoo_eval.quantities import Computed, Resolver, closure
from zoo_eval.quantities.precision import Precision
from zoo_eval.store import Attempt, Outcome, ScoreRow, Trust
from zoo_eval.trust import trust_gate

PIXEL_SIZE = 64  # side of the images in the given `pixels`, as in the DSMI authors' script


@dataclass(frozen=True)
class Settings:
    """How networks are run: from the job, and from what was measured on this machine.

    Attributes:
        device: As the job names it.
        batch_size: Images in a batch; None: as many as have the working set.
        working_set: Bytes, see `zoo_eval.calibration`; used if there is no batch size.
        precision: Of the pass over the dataset.
        gradient_precision: Of gradients of single images; all others are float32.
        probe_n: Number of probe images.
        probe_seed: Which they are.
        probe_source: `dataset` or `noise`.
    """

    device: str
    batch_size: int | None
    working_set: float
    precision: Precision
    gradient_precision: Precision
    probe_n: int
    probe_seed: int
    probe_source: str


def evaluate(
    unit: Unit,
    dataset: Dataset,
    settings: Settings,
    shared: MutableMapping[str, Computed],
) -> Outcome:
    """Compute all scores of a unit.

    Args:
        unit: The network and its scores.
        dataset: The images.
        settings: Device, batch size, probe batch.
        shared: Quantities of the dataset alone, kept from model to model.

    Returns:
        Every score that could be computed or is undefined, and the attempt: `ok`, or the
        first thing that went wrong.
    """
    started = datetime.now(UTC).replace(tzinfo=None)
    clock = time.perf_counter()
    rows: list[ScoreRow] = []
    failed: list[tuple[str, Exception]] = []
    trust: Trust | None = None
    device = settings.device
    try:
        device = str(choose_device(settings.device))
        resolver = Resolver(_givens(unit, dataset, settings, shared), _users(unit), shared)
        trust = _trust(unit, dataset, resolver)
        for planned in unit.scores:
            try:
                rows.append(_compute(planned, resolver, settings))
            except Exception as error:  # one score's failure must not lose the others
                failed.append((planned.key.score, error))
            resolver.release(planned.request.score.needs)
    except Exception as error:  # the network cannot be built or run at all
        failed.append(("", error))
    attempt = Attempt(
        model=unit.line.model,
        weights=unit.weights,
        seed=unit.seed,
        started=started,
        seconds=time.perf_counter() - clock,
        device=device,
        peak_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        **(_what_failed(failed) if failed else {}),
    )
    return Outcome(attempt, tuple(rows), trust)


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


def _givens(
    unit: Unit, dataset: Dataset, settings: Settings, shared: Mapping[str, Computed]
) -> dict[str, Any]:
    """Build the network and gather what its scores need from outside.

    What only quantities of the dataset need that are at hand already is left out.
    """
    device = choose_device(settings.device)
    needed = _needed(unit, frozenset(shared))
    model = build_model(unit.line, unit.weights, unit.seed)
    switch_off_dropout(model)
    model.to(device)
    if not needed & {"probe_images", "probe_labels"}:
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
        "input_shape": (3, size, size),
        "gradient_precision": settings.gradient_precision,
        "labels": np.asarray(dataset.labels, dtype=np.int64),
    }
    calibrated = unit.weights != "pretrained"
    if calibrated or needed & {"probe_images", "probe_labels"}:
        probe_images, probe_labels = _probe(unit, dataset, settings, images, model)
        givens["probe_images"], givens["probe_labels"] = probe_images, probe_labels
        if calibrated:
            calibrate_batch_norm(model, probe_images)
    if "pixels" in needed:
        givens["pixels"] = dataset.pixels(PIXEL_SIZE)
    return givens


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


def _users(unit: Unit) -> list[tuple[str, ...]]:
    return [planned.request.score.needs for planned in unit.scores]


def _needed(unit: Unit, given: frozenset[str] = frozenset()) -> frozenset[str]:
    """All givens and quantities that the scores are computed from."""
    return closure((need for needs in _users(unit) for need in needs), given)


def _trust(unit: Unit, dataset: Dataset, resolver: Resolver) -> Trust | None:
    """The trust gate, if the forward pass is needed anyway."""
    if unit.weights != "pretrained" or "forward_pass" not in _needed(unit):
        return None
    return trust_gate(unit.line, dataset, resolver.get("logits"))


def _compute(planned: PlannedScore, resolver: Resolver, settings: Settings) -> ScoreRow:
    score, options = planned.request.score, planned.request.options
    used, precision = closure(score.needs), "fp32"
    if "forward_pass" in used:
        precision = settings.precision
    elif "gradient_precision" in used:
        precision = settings.gradient_precision
    try:
        measured = score.measure(resolver, options)
    except ScoreUndefinedError as reason:
        seconds = resolver.seconds(score.needs)
        return ScoreRow(planned.key, None, str(reason), seconds, precision=precision)
    return ScoreRow(
        planned.key,
        measured.value,
        None,
        measured.seconds,
        low=measured.low,
        high=measured.high,
        precision=precision,
    )


def _what_failed(failed: list[tuple[str, Exception]]) -> dict[str, str]:
    score, error = failed[0]
    message = str(error).partition("\n")[0] or type(error).__name__
    if score:
        others = f" and {len(failed) - 1} more scores" if len(failed) > 1 else ""
        message = f"{score}{others}: {message}"
    return {
        "outcome": "load" if isinstance(error, ModelError) else "error",
        "error_type": type(error).__name__,
        "message": message,
        "traceback": "".join(traceback.format_exception(error)),
    }
