"""Digests of everything that a value depends on beside the columns of its key."""

import hashlib
import json
from collections.abc import Iterable, Mapping

from zoo_eval.datasets.preprocessing import Preprocessing
from zoo_eval.job import Job, ScoreRequest
from zoo_eval.manifest import ModelLine
from zoo_eval.quantities import closure

_PROBE = frozenset({"probe_images", "probe_labels"})
_IMAGES = frozenset({"images", "labels", "pixels"})

# Which settings of the job and of the model beside the key's own columns change a score's value.
Parts = frozenset[str]


def parts_of(request: ScoreRequest, job: Job) -> Parts:
    """Which settings beside the key's own columns can change this score's value."""
    givens = request.score.givens()
    parts = {"arguments"}
    if request.weights:
        parts.add("weights")
    if givens & (_PROBE | {"images", "input_shape"}):
        parts.add("preprocessing")
    # Networks with initial weights are calibrated on the probe images, see `givens_of`.
    if givens & {*_PROBE, "initial_model"} or set(request.weights) - {"pretrained"}:
        parts.add("probe")
    if "initial_model" in givens:
        parts.add("start")
    if "sibling_model" in givens:
        parts.add("sibling")
    # Float32 is not written down: so were all values before there was a choice.
    used = closure(request.score.needs)
    if job.evaluation.precision != "fp32" and "forward_pass" in used:
        parts.add("precision")
    if job.evaluation.gradient_precision != "fp32" and "gradient_precision" in used:
        parts.add("gradient_precision")
    return frozenset(parts)


def parts_of_forward_pass(weights: str, job: Job) -> Parts:
    """Which settings can change the embeddings and logits of the dataset."""
    parts = {"arguments", "weights", "preprocessing"}
    if weights != "pretrained":
        parts.add("probe")
    if job.evaluation.precision != "fp32":
        parts.add("precision")
    return frozenset(parts)


class Fingerprints:
    """Digests of everything beside the key's own columns that a value depends on.

    Args:
        job: Its probe is the same for all models, so it is written out once.
        dataset_label: The dataset, as the store writes it.
    """

    def __init__(self, job: Job, dataset_label: str) -> None:
        # The dataset too: it is where the probe images come from that batch norm is calibrated
        # on, also for a score that itself looks at no image.
        images = dataset_label if job.probe.source == "dataset" else "noise"
        self._probe = _json([job.probe.model_dump(), images])
        self._precision = _json(job.evaluation.precision)
        self._gradient_precision = _json(job.evaluation.gradient_precision)

    def of(
        self, line: ModelLine, preprocessing: Preprocessing, parts: Iterable[Parts]
    ) -> dict[Parts, str]:
        """A digest of each of some choices of parts."""
        settings = {
            "arguments": _json(dict(line.arguments)),
            "weights": _json([line.weights_file, line.weights_sha256]),
            "preprocessing": _json(vars(preprocessing)),
            "probe": self._probe,
            "start": _json(line.seed),
            "sibling": _json(_sibling_of(line)),
            "precision": self._precision,
            "gradient_precision": self._gradient_precision,
        }
        return {chosen: _digest(settings, chosen) for chosen in parts}


def _sibling_of(line: ModelLine) -> list[str | None] | None:
    """What tells the weights of a line's sibling from others."""
    other = line.sibling
    return None if other is None else [other.model, other.weights_file, other.weights_sha256]


def _digest(settings: Mapping[str, str], chosen: Parts) -> str:
    """Digest of the JSON object of the chosen settings, put together from their JSON texts."""
    text = ", ".join(f'"{part}": {settings[part]}' for part in sorted(chosen))
    return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()[:16]


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def dataset_of(request: ScoreRequest, job: Job, dataset_label: str) -> str:
    """What a score's key says of the dataset: `none` and `noise` if it needs no image of it."""
    givens = request.score.givens()
    if givens & _IMAGES or (givens & _PROBE and job.probe.source == "dataset"):
        return dataset_label
    return "noise" if givens & _PROBE else "none"
