"""Checks a job's text before it is queued, with the command line's own messages."""

import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from zoo_eval.builtin import builtin_manifests
from zoo_eval.datasets.sources import BUILTIN
from zoo_eval.errors import JobError
from zoo_eval.job import Job
from zoo_eval.job.schema import JobTable


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
                    _require_inside(name, "manifest", table.manifest, allowed)
                if table.dataset.source not in BUILTIN:
                    _require_inside(name, "dataset.source", table.dataset.source, allowed)
            job = Job.load(path)
        except JobError as error:
            # The file is ours; its sender knows it by its name.
            raise JobError(str(error).replace(str(path), path.name)) from None
    if table is not None and table.manifest not in builtin_manifests():
        for line in job.manifest.lines:
            if line.weights_file is not None and not line.weights_file.startswith("wheel:"):
                weights = str(line.folder / line.weights_file)
                _require_inside(name, f"weights_file of {line.model}", weights, allowed)
    return job


def _require_inside(name: str, key: str, given: str, allowed: Sequence[Path]) -> None:
    try:
        inside = Path(given).is_absolute() and any(
            Path(given).resolve().is_relative_to(folder.resolve()) for folder in allowed
        )
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
        inside = False
    if not inside:
        folders = ", ".join(map(str, allowed)) or "none; `zoo-eval serve --allow FOLDER` adds one"
        raise JobError(
            f"{name}.toml: {key} = {given!r} is neither builtin nor a full path inside the allowed "
            f"folders ({folders})."
        )
