"""Checks jobs and rankings before they are queued, with the command line's own messages."""

import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from zoo_eval.builtin import builtin_manifests
from zoo_eval.datasets.sources import BUILTIN
from zoo_eval.durations import parse_duration
from zoo_eval.errors import JobError
from zoo_eval.job import Job
from zoo_eval.job.schema import JobTable
from zoo_eval.manifest import Manifest
from zoo_eval.ranking.candidates import candidates
from zoo_eval.service.ranking_request import RankingRequest


def check_job(name: str, toml: str, allowed: Sequence[Path]) -> Job:
    """Read a job's text as `zoo-eval run` would, if it names nothing outside some folders.

    Where the paths lead is looked at first: the messages about a manifest quote what it says.

    Args:
        name: The job's name.
        toml: Its text.
        allowed: Folders in which its manifest, weights and images may lie, beside the builtin ones.

    Raises:
        ZooEvalError: as `Job.load` does; or a path leads elsewhere.
    """
    with tempfile.TemporaryDirectory(prefix="zoo_eval-job-") as folder:
        path = Path(folder) / f"{name}.toml"
        path.write_text(toml, encoding="utf-8")
        try:
            table = JobTable.model_validate(tomllib.loads(toml))
        except (tomllib.TOMLDecodeError, ValidationError):
            table = None  # `Job.load` says what is wrong, before it opens any other file
        try:
            if table is not None:
                if table.manifest not in builtin_manifests():
                    _require_inside(f"{name}.toml: manifest", table.manifest, allowed)
                if table.dataset.source not in BUILTIN:
                    source = table.dataset.source
                    _require_inside(f"{name}.toml: dataset.source", source, allowed)
            job = Job.load(path)
        except JobError as error:
            # The file is ours; its sender knows it by its name.
            raise JobError(str(error).replace(str(path), path.name)) from None
    if table is not None and table.manifest not in builtin_manifests():
        _require_weights_inside(f"{name}.toml: ", job.manifest, allowed)
    return job


def check_ranking(request: RankingRequest, allowed: Sequence[Path]) -> None:
    """See to it that a ranking names nothing outside some folders, and that it can begin.

    Raises:
        ZooEvalError: a path leads elsewhere; or as `zoo-eval rank` does, before it looks at images.
    """
    check_images(request, allowed)
    if request.manifest not in builtin_manifests():
        _require_inside("manifest", request.manifest, allowed)
    manifest = Manifest.load(request.manifest)
    if request.manifest not in builtin_manifests():
        _require_weights_inside("", manifest, allowed)
    candidates(manifest, request.limits)
    if request.budget is not None:
        parse_duration(request.budget)


def check_images(request: RankingRequest, allowed: Sequence[Path]) -> None:
    """The same of its images alone."""
    if request.source not in BUILTIN:
        _require_inside("source", request.source, allowed)


def _require_weights_inside(before: str, manifest: Manifest, allowed: Sequence[Path]) -> None:
    for line in manifest.lines:
        if line.weights_file is not None and not line.weights_file.startswith("wheel:"):
            weights = str(line.folder / line.weights_file)
            _require_inside(f"{before}weights_file of {line.model}", weights, allowed)


def _require_inside(what: str, given: str, allowed: Sequence[Path]) -> None:
    """See to it that a path lies in one of some folders, wherever links lead.

    Raises:
        JobError: it does not.
    """
    try:
        inside = Path(given).is_absolute() and any(
            Path(given).resolve().is_relative_to(folder.resolve()) for folder in allowed
        )
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
        inside = False
    if not inside:
        folders = ", ".join(map(str, allowed)) or "none; `zoo-eval serve --allow FOLDER` adds one"
        raise JobError(
            f"{what} = {given!r} is neither builtin nor a full path inside the allowed folders "
            f"({folders})."
        )
