"""A run: does a plan, one model at a time, and stores each outcome as it comes."""

import json
import platform
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from zoo_eval.calibration import precision_for
from zoo_eval.datasets import Dataset, load_dataset
from zoo_eval.evaluate import Settings
from zoo_eval.executors.cores import threads_of_each, usable_cores
from zoo_eval.executors.local import LocalExecutor
from zoo_eval.executors.measured import measured
from zoo_eval.job import Job
from zoo_eval.manifest import ModelLine
from zoo_eval.models.hub import require_weights
from zoo_eval.plan import Plan, make_plan
from zoo_eval.provenance import git_commit, versions
from zoo_eval.store import DatasetRow, ModelRow, Outcome, RunRow, Store


@dataclass(frozen=True)
class Prepared:
    """A job with its dataset loaded and its plan made."""

    job: Job
    store: Store
    dataset: Dataset
    plan: Plan
    limit: int | None


@dataclass(frozen=True)
class RunSummary:
    """What a run did."""

    n_units: int
    n_ok: int
    n_failed: int
    interrupted: bool

    @property
    def n_left(self) -> int:
        """Units that were planned, but not reached."""
        return self.n_units - self.n_ok - self.n_failed


def prepare(
    job: Job,
    store: Store,
    *,
    limit: int | None = None,
    strict: bool = False,
    workers: int | None = None,
) -> Prepared:
    """Load the dataset and make the plan: everything that can fail before any work is done.

    The precision `auto` is settled here, by a measurement if the store has none of this machine:
    it is part of what a value is found again by.

    Raises:
        DatasetError: the images cannot be used.
        StoreError: the store cannot be read.
    """
    dataset = load_dataset(job.dataset, strict=strict)
    if job.evaluation.precision == "auto":
        threads = threads_of_each(workers or usable_cores())
        speedup = measured(store, "bf16_speedup", job.evaluation.device, threads)
        job = job.in_precision(precision_for(speedup))
    plan = make_plan(job, dataset.label, store.done(), limit)
    return Prepared(job, store, dataset, plan, limit)


def run(
    job: Job | str | Path,
    store: Store | str | Path = "results.duckdb",
    *,
    workers: int | None = None,
    limit: int | None = None,
    strict: bool = False,
    precision: Literal["fp32", "bf16", "auto"] | None = None,
) -> RunSummary:
    """Evaluate what a job asks for and the store does not have yet.

    Args:
        job: A job, the name of a builtin one, or a TOML file.
        store: Where results go; made if it does not exist.
        workers: Worker processes; by default one per processor core.
        limit: Take only the first so many models of the manifest.
        strict: Whether an unreadable image is an error instead of being skipped.
        precision: Of the pass over the dataset, in place of the job's own.

    Raises:
        ZooEvalError: the job cannot be run as it is. A model that fails raises nothing: it is
            counted, and `Store.failures()` says why.
    """
    job = job if isinstance(job, Job) else Job.load(job)
    store = store if isinstance(store, Store) else Store(store)
    if precision is not None:
        job = job.in_precision(precision)
    prepared = prepare(job, store, limit=limit, strict=strict, workers=workers)
    return execute(prepared, workers=workers, command=f"zoo_eval.run({job.name!r})")


def execute(
    prepared: Prepared,
    *,
    workers: int | None = None,
    command: str = "",
    on_outcome: Callable[[Outcome], None] = lambda _: None,
) -> RunSummary:
    """Do a plan. What is finished is stored at once; an interruption loses nothing of it.

    Args:
        prepared: From `prepare`.
        workers: Worker processes; by default one per processor core.
        command: The command line, for the record.
        on_outcome: Called after each outcome is stored.

    Raises:
        WeightsError: weights are needed from a hub that cannot be reached.
        ModelError: the device cannot be used, found where the batch size is measured.
        StoreError: the store cannot be written.
    """
    job, store, plan = prepared.job, prepared.store, prepared.plan
    if not plan.units:
        return RunSummary(0, 0, 0, interrupted=False)
    require_weights(unit.line for unit in plan.units if unit.weights == "pretrained")
    workers = max(1, min(workers or usable_cores(), len(plan.units)))
    settings = _settings(job, _working_set(prepared, workers))
    run_row = _run_row(job, command)
    models = [model_row(line) for line in job.manifest.lines[: prepared.limit]]
    store.begin_run(run_row, models, _dataset_row(prepared.dataset))
    ok = failed = 0
    interrupted = False
    try:
        with LocalExecutor(workers, prepared.dataset, settings) as executor:
            for outcomes in executor.outcomes(plan.units):
                # Small networks finish faster than a file can be opened and closed again.
                store.commit(run_row.run, *outcomes)
                good = sum(outcome.attempt.outcome == "ok" for outcome in outcomes)
                ok, failed = ok + good, failed + len(outcomes) - good
                for outcome in outcomes:
                    on_outcome(outcome)
    except KeyboardInterrupt:
        interrupted = True
    store.end_run(run_row.run, "interrupted" if interrupted else "done")
    return RunSummary(len(plan.units), ok, failed, interrupted)


def _working_set(prepared: Prepared, workers: int) -> float:
    """What suits this machine, if a network is to choose its batch size by it; else 0."""
    job = prepared.job
    if job.evaluation.batch_size != "auto" or not any(
        "images" in request.score.givens() for request in job.scores
    ):
        return 0.0
    threads = threads_of_each(workers)
    return measured(prepared.store, "working_set", job.evaluation.device, threads)


def _settings(job: Job, working_set: float) -> Settings:
    size, precision = job.evaluation.batch_size, job.evaluation.precision
    assert precision != "auto", "`prepare` settles it"
    return Settings(
        device=job.evaluation.device,
        batch_size=None if size == "auto" else size,
        working_set=working_set,
        precision=precision,
        gradient_precision=job.evaluation.gradient_precision,
        probe_n=job.probe.images,
        probe_seed=job.probe.seed,
        probe_source=job.probe.source,
    )


def _run_row(job: Job, command: str) -> RunRow:
    return RunRow(
        run=uuid.uuid4().hex,
        job=job.name,
        job_text=job.text,
        command=command,
        started=datetime.now(UTC).replace(tzinfo=None),
        git_commit=git_commit() or None,
        versions=json.dumps(versions()),
        host=platform.node(),
    )


def model_row(line: ModelLine) -> ModelRow:
    """What the store keeps of a manifest line."""
    cells = line.cells

    def text(column: str) -> str | None:
        value = cells.get(column)
        return None if value is None else str(value)

    def count(column: str) -> int | None:
        value = cells.get(column)
        return value if isinstance(value, int) else None

    distilled = cells.get("distilled")
    return ModelRow(
        model=line.model,
        family=line.family,
        params=count("params"),
        macs=count("macs"),
        activations=count("activations"),
        image_size=line.image_size,
        pretraining=text("pretraining"),
        distilled=distilled if isinstance(distilled, bool) else None,
        licence=text("licence"),
        label_space=line.label_space,
        details=json.dumps({k: v for k, v in cells.items() if v is not None}, sort_keys=True),
        accuracies=tuple((b, m, value) for (b, m), value in line.accuracies().items()),
        source=str(cells["source"]),
    )


def _dataset_row(dataset: Dataset) -> DatasetRow:
    return DatasetRow(
        dataset=dataset.label,
        name=dataset.name,
        digest=dataset.digest,
        n_images=len(dataset),
        n_classes=len(dataset.classes),
        recipe=dataset.recipe,
    )
