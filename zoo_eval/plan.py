"""The plan: what a job asks for minus what the store already has."""

import hashlib
import json
from collections.abc import Container, Iterable, Mapping, Set
from dataclasses import astuple, dataclass, replace
from importlib.metadata import version
from itertools import compress
from operator import not_
from types import MappingProxyType

from zoo_eval.datasets.preprocessing import Preprocessing, preprocessing_of
from zoo_eval.fingerprints import Fingerprints, Parts, dataset_of, parts_of, parts_of_forward_pass
from zoo_eval.job import Job, ScoreRequest
from zoo_eval.manifest import ModelLine
from zoo_eval.store import EmbeddingsRow, Failure, ScoreKey
from zoo_eval.store.arrays import ArrayKey
from zoo_eval.store.stored_keys import SettingKey, StoredKeys

_NOTHING: Mapping[ArrayKey, EmbeddingsRow] = MappingProxyType({})


@dataclass(frozen=True)
class PlannedScore:
    """A score to compute, and the key that its row will have."""

    request: ScoreRequest
    key: ScoreKey


@dataclass(frozen=True)
class _Setting:
    """A score that the job wants of every model, and what their keys have in common."""

    request: ScoreRequest
    key: SettingKey
    parts: Parts


@dataclass(frozen=True)
class Unit:
    """One network to build and all scores to compute on it: what a worker is handed.

    Attributes:
        line: The manifest's.
        preprocessing: Of its images.
        weights: Kind of weights.
        seed: Of the initialisation.
        settings: The scores, without what the model adds to their keys.
        fingerprints: What it adds.
        arrays: What its pass over the dataset depends on.
        kept: The file of that pass, if there is one.
    """

    line: ModelLine
    preprocessing: Preprocessing
    weights: str
    seed: int
    settings: tuple[_Setting, ...]
    fingerprints: Mapping[Parts, str]
    arrays: ArrayKey
    kept: EmbeddingsRow | None = None

    @property
    def scores(self) -> tuple[PlannedScore, ...]:
        """The scores, each with its key. Made when asked for: a big plan has a million."""
        return tuple(
            PlannedScore(s.request, s.key.of_model(self.line.model, self.fingerprints[s.parts]))
            for s in self.settings
        )

    @property
    def keys(self) -> tuple[ScoreKey, ...]:
        """Of the rows that its scores will have."""
        return tuple(planned.key for planned in self.scores)

    def without(self, keys: Container[ScoreKey]) -> "Unit":
        """The same network, and only those of its scores that are not among these keys."""
        left = (s for s, key in zip(self.settings, self.keys, strict=True) if key not in keys)
        return replace(self, settings=tuple(left))


def digest_of(keys: Iterable[ScoreKey]) -> str | None:
    """What is written down of scores that an attempt did not give; None if it gave all.

    Another version of zoo_eval may not fail where this one did: it has other digests.
    """
    texts = sorted("\t".join(map(str, astuple(key))) for key in keys)
    if not texts:
        return None
    return hashlib.sha256("\n".join([version("zoo-eval"), *texts]).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Plan:
    """Work left, in order.

    Attributes:
        units: What a run does.
        left_out: What failed before in a way that does not heal by itself.
        n_models: Models that the job names.
        n_networks: Those in every state in which it wants them.
        n_scores_wanted: Score values that it wants of them.
        n_scores_done: How many of those the store has.
    """

    units: tuple[Unit, ...]
    left_out: tuple[Unit, ...]
    n_models: int
    n_networks: int
    n_scores_wanted: int
    n_scores_done: int

    def only_left_out(self) -> "Plan":
        """What this plan leaves out, and nothing else."""
        return replace(self, units=self.left_out, left_out=())

    @property
    def n_scores_left(self) -> int:
        """Score values that are still missing."""
        return self.n_scores_wanted - self.n_scores_done


def make_plan(
    job: Job,
    dataset_label: str,
    done: Set[ScoreKey],
    limit: int | None = None,
    given_up: Set[Failure] = frozenset(),
    kept: Mapping[ArrayKey, EmbeddingsRow] = _NOTHING,
) -> Plan:
    """What is left to do.

    Args:
        job: What is wanted, its precision settled: `auto` is no precision.
        dataset_label: The dataset, as the store writes it.
        done: Keys that the store has.
        limit: Take only the first so many models of the manifest.
        given_up: Failures that would only happen again, see `Store.given_up`.
        kept: Arrays that need not be computed again.
    """
    lines = job.manifest.lines[:limit]
    stored = done if isinstance(done, StoredKeys) else StoredKeys.of(done)
    states = _states(job, dataset_label)
    parts = {setting.parts for settings in states.values() for setting in settings}
    forward = {weights: parts_of_forward_pass(weights, job) for weights in job.weights}
    digests = Fingerprints(job, dataset_label)
    units: list[Unit] = []
    for line in lines:
        preprocessing = preprocessing_of(line)
        fingerprints = digests.of(line, preprocessing, parts | {*forward.values()})
        has = {p: stored.settings(line.model, fingerprints[p]) for p in parts}
        for (weights, seed), settings in states.items():
            left = tuple(s for s in settings if s.key not in has[s.parts])
            if left:
                digest = fingerprints[forward[weights]]
                arrays = ArrayKey(line.model, weights, seed, dataset_label, digest)
                units.append(
                    Unit(
                        *(line, preprocessing, weights, seed, left, fingerprints),
                        *(arrays, kept.get(arrays)),
                    )
                )
    wanted = len(lines) * sum(map(len, states.values()))
    left = sum(len(unit.settings) for unit in units)
    failed = {failure[:3] for failure in given_up}
    again = [_name(unit) in failed and _failure(unit) in given_up for unit in units]
    return Plan(
        units=tuple(compress(units, map(not_, again))),
        left_out=tuple(compress(units, again)),
        n_models=len(lines),
        n_networks=len(lines) * len(states),
        n_scores_wanted=wanted,
        n_scores_done=wanted - left,
    )


def _name(unit: Unit) -> tuple[str, str, int]:
    return unit.line.model, unit.weights, unit.seed


def _failure(unit: Unit) -> Failure:
    return Failure(*_name(unit), digest_of(unit.keys))


def _states(job: Job, dataset_label: str) -> dict[tuple[str, int], tuple[_Setting, ...]]:
    """The (weights, seed) in which the job wants each network, in order, and the scores there.

    Pretrained weights have one state, seed 0.
    """
    states: list[tuple[str, int]] = []
    for weights in job.weights:
        seeds: Iterable[int] = (0,) if weights == "pretrained" else job.seeds
        states += [(weights, seed) for seed in seeds]
    return {
        state: tuple(
            _setting(request, *state, job, dataset_label)
            for request in job.scores
            # A score that does not look at the values of the weights is computed once.
            if state[0] in request.weights or (not request.weights and state == states[0])
        )
        for state in states
    }


def _setting(
    request: ScoreRequest, weights: str, seed: int, job: Job, dataset_label: str
) -> _Setting:
    key = SettingKey(
        weights=weights if request.weights else "any",
        seed=seed if request.weights else 0,
        dataset=dataset_of(request, job, dataset_label),
        score=request.score.name,
        options=json.dumps(request.options, sort_keys=True),
        version=request.score.version,
    )
    return _Setting(request, key, parts_of(request, job))
