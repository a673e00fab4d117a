"""A job: a manifest, a dataset and some scores, read from a TOML file."""

import difflib
import random
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from zoo_eval.builtin import builtin_jobs, builtin_manifests
from zoo_eval.datasets.spec import SUBSETS, DatasetSpec
from zoo_eval.errors import InputError, JobError
from zoo_eval.job.schema import (
    EvaluationTable,
    JobTable,
    ProbeTable,
    ResourcesTable,
    ScoreTable,
)
from zoo_eval.manifest import Manifest
from zoo_eval.scores import POOL_SCORES, SCORES, OptionValue, Score


@dataclass(frozen=True)
class ScoreRequest:
    """A score with all its options, and the weights that the job wants it on."""

    score: Score
    options: dict[str, OptionValue]
    weights: tuple[str, ...]  # empty: the values of the weights do not matter


@dataclass(frozen=True)
class Job:
    """What to evaluate, checked.

    Attributes:
        name: The file's stem.
        text: The file as it was read, kept in the store.
        manifest: The models, filtered and in the order they are evaluated.
        weights: Kinds of weights, in order.
        seeds: Seeds of initialisation.
        dataset: Which images.
        probe: Size and seed of the probe batch.
        evaluation: Device, batch size, precision.
        resources: What a network gets on a cluster.
        scores: What to compute, each setting once; pool scores stand here as their parts.
        truth: Accuracy that reports judge by, `benchmark_metric`; None: the commonest.
    """

    name: str
    text: str
    manifest: Manifest
    weights: tuple[str, ...]
    seeds: tuple[int, ...]
    dataset: DatasetSpec
    probe: ProbeTable
    evaluation: EvaluationTable
    resources: ResourcesTable
    scores: tuple[ScoreRequest, ...]
    truth: str | None

    @classmethod
    def load(cls, name_or_path: str | Path) -> "Job":
        """Read a builtin job by name, or a TOML file by path.

        Raises:
            JobError: names the file, the key, what was seen and what is allowed.
            ManifestError: its manifest is not valid.
        """
        path = _find(name_or_path)
        try:
            text = path.read_text(encoding="utf-8")
            table = JobTable.model_validate(tomllib.loads(text))
        except (OSError, UnicodeDecodeError) as error:
            raise JobError(f"{path} cannot be read as UTF-8 text: {error}") from error
        except tomllib.TOMLDecodeError as error:
            raise JobError(f"{path} is not valid TOML: {error}.") from error
        except ValidationError as error:
            raise JobError(f"{path}: {_first_problem(error)}") from error
        return cls(
            name=path.stem,
            text=text,
            manifest=_manifest(table, path),
            weights=tuple(table.weights),
            seeds=tuple(table.seeds),
            dataset=_dataset(table, path),
            probe=table.probe,
            evaluation=table.evaluation,
            resources=table.resources,
            scores=_requests(table, path),
            truth=table.truth,
        )

    def in_precision(self, precision: Literal["fp32", "bf16", "auto"]) -> "Job":
        """The same job with this precision in place of its own."""
        return replace(self, evaluation=self.evaluation.model_copy(update={"precision": precision}))


def _find(name_or_path: str | Path) -> Path:
    builtin = builtin_jobs()
    if str(name_or_path) in builtin:
        return builtin[str(name_or_path)]
    path = Path(name_or_path)
    if not path.is_file():
        raise JobError(
            f"There is no job {str(name_or_path)!r}: it is neither a TOML file nor one of the "
            f"builtin ones ({', '.join(builtin)})."
        )
    return path


def _manifest(table: JobTable, path: Path) -> Manifest:
    name = table.manifest
    known = name in builtin_manifests()
    manifest = Manifest.load(name if known else path.parent / name)
    if table.where is not None:
        manifest = manifest.where(table.where)
    if table.order == "shuffled":
        # Any first part of a shuffled manifest is a fair sample of it; the seed keeps it the same.
        lines = sorted(manifest.lines, key=lambda line: line.model)
        random.Random(0).shuffle(lines)
        manifest = replace(manifest, lines=tuple(lines))
    return manifest


def _dataset(table: JobTable, path: Path) -> DatasetSpec:
    given = table.dataset
    named: dict[str, Any] = {}
    if given.subset is not None:
        if given.subset not in SUBSETS:
            raise JobError(
                f"{path}: dataset.subset = {given.subset!r} is unknown; there is "
                f"{', '.join(SUBSETS)}."
            )
        named = SUBSETS[given.subset]
    own = {key: getattr(given, key) for key in given.model_fields_set - {"source", "subset"}}
    for key in ("classes", "crop_scale"):
        if own.get(key) is not None:
            own[key] = tuple(own[key])
    source = given.source
    beside = path.parent / source
    if not Path(source).is_absolute() and beside.exists():
        source = str(beside)
    return DatasetSpec(source, **{**named, **own})


def _requests(table: JobTable, path: Path) -> tuple[ScoreRequest, ...]:
    requests: list[ScoreRequest] = []
    for entry in table.scores:
        entries = [entry]
        if entry.name in POOL_SCORES:
            parts = POOL_SCORES[entry.name].parts
            if entry.options:
                raise JobError(
                    f"{path}: scores: {entry.name} is computed from {', '.join(parts)} when a "
                    f"report is made, and has no options, but {', '.join(entry.options)} is given."
                )
            entries = [ScoreTable(name=part, weights=entry.weights) for part in parts]
        for each in entries:
            request = _request(each, table, path)
            if request not in requests:
                requests.append(request)
    return tuple(requests)


def _request(entry: ScoreTable, table: JobTable, path: Path) -> ScoreRequest:
    if entry.name not in SCORES:
        near = difflib.get_close_matches(entry.name, [*SCORES, *POOL_SCORES], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise JobError(
            f"{path}: scores has {entry.name!r}, but there is no such score.{hint} "
            "`zoo-eval scores` lists them."
        )
    score = SCORES[entry.name]
    try:
        options = score.with_defaults(entry.options)
    except InputError as error:
        raise JobError(f"{path}: scores: {error}") from None
    return ScoreRequest(score, options, _weights(entry, score, table, path))


def _weights(entry: ScoreTable, score: Score, table: JobTable, path: Path) -> tuple[str, ...]:
    if score.weights is None:
        return ()
    wanted = tuple(entry.weights) if entry.weights is not None else score.weights
    chosen = tuple(kind for kind in table.weights if kind in wanted)
    if not chosen:
        raise JobError(
            f"{path}: {score.name} is wanted on {' or '.join(wanted)} weights, but the job "
            f"evaluates {', '.join(table.weights)}. Add to `weights` of the job, or write "
            f'{{name = "{score.name}", weights = ["{table.weights[0]}"]}} to compute it there.'
        )
    return chosen


def _first_problem(error: ValidationError) -> str:
    """The first problem, as one line: key, what was seen, what is allowed."""
    # A misspelt key is also a missing one; the misspelling is what helps.
    problem = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = _keys_at(problem["loc"][:-1])
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return f"unknown key {key!r}; allowed are {', '.join(known)}.{hint}"
    if problem["type"] == "missing":
        return f"key {key!r} is missing."
    return f"{key} = {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}."


def _keys_at(location: Iterable[int | str]) -> list[str]:
    table: Any = JobTable
    for part in location:
        table = table.model_fields[part].annotation if part in table.model_fields else ScoreTable
    return list(table.model_fields)
