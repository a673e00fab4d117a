"""The plan: what a job asks for minus what the store already has."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from zoo_eval.datasets.preprocessing import Preprocessing, preprocessing_of
from zoo_eval.job import Job, ScoreRequest
from zoo_eval.manifest import ModelLine
from zoo_eval.store import ScoreKey

_PROBE = frozenset({"probe_images", "probe_labels"})
_IMAGES = frozenset({"images", "labels", "pixels"})


@dataclass(frozen=True)
class PlannedScore:
    """A score to compute, and the key that its row will have."""

    request: ScoreRequest
    key: ScoreKey


@dataclass(frozen=True)
class Unit:
    """One network to build and all scores to compute on it: what a worker is handed."""

    line: ModelLine
    preprocessing: Preprocessing
    weights: str
    seed: int
    scores: tuple[PlannedScore, ...]


@dataclass(frozen=True)
class Plan:
    """Work left, in order."""

    units: tuple[Unit, ...]
    n_models: int
    n_scores_wanted: int
    n_scores_done: int

    @property
    def n_scores_left(self) -> int:
        """Score values that are still missing."""
        return self.n_scores_wanted - self.n_scores_done


def make_plan(job: Job, dataset_label: str, done: Set[ScoreKey], limit: int | None = None) -> Plan:
    """What is left to do.

    Args:
        job: What is wanted.
        dataset_label: The dataset, as the store writes it.
        done: Keys that the store has.
        limit: Take only the first so many models of the manifest.
    """
    lines = job.manifest.lines[:limit]
    units: list[Unit] = []
    wanted = 0
    for line in lines:
        for unit in _units(job, line, dataset_label):
            left = tuple(planned for planned in unit.scores if planned.key not in done)
            wanted += len(unit.scores)
            if left:
                units.append(Unit(line, unit.preprocessing, unit.weights, unit.seed, left))
    left = sum(len(unit.scores) for unit in units)
    return Plan(tuple(units), len(lines), wanted, wanted - left)


def _units(job: Job, line: ModelLine, dataset_label: str) -> Iterator[Unit]:
    """All networks that the job wants of one model, with all scores."""
    preprocessing = preprocessing_of(line)
    fingerprints: dict[frozenset[str], str] = {}
    for place, (weights, seed) in enumerate(_states(job)):
        scores: list[PlannedScore] = []
        for request in job.scores:
            # A score that does not look at the values of the weights is computed once.
            if weights in request.weights or (not request.weights and place == 0):
                parts = _parts(request)
                if parts not in fingerprints:
                    fingerprints[parts] = _fingerprint(
                        job, line, preprocessing, dataset_label, parts
                    )
                key = ScoreKey(
                    model=line.model,
                    weights=weights if request.weights else "any",
                    seed=seed if request.weights else 0,
                    dataset=_dataset_of(request, job, dataset_label),
                    score=request.score.name,
                    options=json.dumps(request.options, sort_keys=True),
                    version=request.score.version,
                    fingerprint=fingerprints[parts],
                )
                scores.append(PlannedScore(request, key))
        yield Unit(line, preprocessing, weights, seed, tuple(scores))


def _states(job: Job) -> list[tuple[str, int]]:
    """(weights, seed) in the order of the job; pretrained weights have one state, seed 0."""
    states: list[tuple[str, int]] = []
    for weights in job.weights:
        seeds: Iterable[int] = (0,) if weights == "pretrained" else job.seeds
        states += [(weights, seed) for seed in seeds]
    return states


def _parts(request: ScoreRequest) -> frozenset[str]:
    """Which settings beside the key's own columns can change this score's value."""
    givens = request.score.givens()
    parts = {"arguments"}
    if request.weights:
        parts.add("weights")
    if givens & (_PROBE | {"images", "input_shape"}):
        parts.add("preprocessing")
    # Networks with initial weights are calibrated on the probe images, see `evaluate`.
    if givens & _PROBE or set(request.weights) - {"pretrained"}:
        parts.add("probe")
    return frozenset(parts)


def _fingerprint(
    job: Job,
    line: ModelLine,
    preprocessing: Preprocessing,
    dataset_label: str,
    parts: frozenset[str],
) -> str:
    # The dataset too: it is where the probe images come from that batch norm is calibrated on,
    # also for a score that itself looks at no image.
    images = dataset_label if job.probe.source == "dataset" else "noise"
    settings: dict[str, object] = {
        "arguments": dict(line.arguments),
        "weights": [line.weights_file, line.weights_sha256],
        "preprocessing": vars(preprocessing),
        "probe": [job.probe.model_dump(), images],
    }
    chosen = {part: settings[part] for part in sorted(parts)}
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:16]


def _dataset_of(request: ScoreRequest, job: Job, dataset_label: str) -> str:
    givens = request.score.givens()
    if givens & _IMAGES or (givens & _PROBE and job.probe.source == "dataset"):
        return dataset_label
    return "noise" if givens & _PROBE else "none"
