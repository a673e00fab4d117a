"""A run: does a plan, one model at a time, and stores each outcome as it comes."""

import math
from collections.abc import Callable, Collection
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Literal

from zoo_eval.datasets import Dataset, load_dataset
from zoo_eval.drive import Drive, Ended
from zoo_eval.executors.choice import LOCAL, Where, executor_of
from zoo_eval.executors.cores import threads_of_each, usable_cores
from zoo_eval.executors.measured import measured_speedup, measured_working_set
from zoo_eval.executors.process import Limits
from zoo_eval.files import Files
from zoo_eval.interruption import uninterrupted
from zoo_eval.job import Job
from zoo_eval.models.hub import require_weights
from zoo_eval.models.published.cache import WeightsCache
from zoo_eval.models.published.cached import require_offline
from zoo_eval.plan import Plan, make_plan
from zoo_eval.prefetch import Prefetch
from zoo_eval.quantities import Precision
from zoo_eval.retrying import Tries
from zoo_eval.run_rows import dataset_row, model_row, run_row
from zoo_eval.settings import Settings, precision_for
from zoo_eval.store import Store
from zoo_eval.store.arrays import ArrayKey
from zoo_eval.store.lock import one_run
from zoo_eval.unlabelled import require_labels

DEFAULT_LIMITS = Limits()
DEFAULT_FILES = Files()


@dataclass(frozen=True)
class Prepared:
    """A job with its dataset loaded and its plan made."""

    job: Job
    store: Store
    dataset: Dataset
    plan: Plan
    limit: int | None


@dataclass
class RunSummary:
    """What a run did."""

    n_units: int
    n_ok: int = 0
    n_failed: int = 0
    interrupted: bool = False
    set_aside: list[str] = field(default_factory=list[str])

    @property
    def n_left(self) -> int:
        """Units that were planned, but not reached."""
        return self.n_units - self.n_ok - self.n_failed

    def count(self, ended: Ended) -> None:
        """Take note of an outcome."""
        if ended.again:
            return
        self.n_ok += ended.good
        self.n_failed += not ended.good
        if ended.outcome.attempt.outcome == "killed":
            self.set_aside.append(ended.outcome.attempt.model)


def prepare(
    job: Job,
    store: Store,
    *,
    limit: int | None = None,
    strict: bool = False,
    workers: int | None = None,
    retry: Collection[str] | None = None,
) -> Prepared:
    """Load the dataset and make the plan: everything that can fail before any work is done.

    The precision `auto` is settled here, by a measurement if the store has none of this machine:
    it is part of what a value is found again by.

    Args:
        job: What is wanted.
        store: What is there.
        limit: Take only the first so many models of the manifest.
        strict: Whether an unreadable image is an error instead of being skipped.
        workers: Worker processes; by default one per processor core.
        retry: Plan only what failed before, in one of these ways. None: plan all but that.

    Raises:
        DatasetError: the images cannot be used.
        JobError: they have no labels, but a score needs them.
        StoreError: the store cannot be read.
    """
    dataset = load_dataset(job.dataset, strict=strict)
    require_labels(job, dataset)
    if job.evaluation.precision == "auto":
        threads = threads_of_each(workers or usable_cores())
        speedup = measured_speedup(store, job.evaluation.device, threads)
        job = job.in_precision(precision_for(speedup))
    given_up = store.given_up()
    if retry is not None:
        given_up = {failure: kind for failure, kind in given_up.items() if kind in retry}
    kept = {ArrayKey(*astuple(row)[:5]): row for row in store.kept_arrays()}
    plan = make_plan(job, dataset.label, store.done(), limit, given_up.keys(), kept)
    if retry is not None:
        plan = plan.only_left_out()
    return Prepared(job, store, dataset, plan, limit)


def run(
    job: Job | str | Path,
    store: Store | str | Path = "results.duckdb",
    *,
    workers: int | None = None,
    limit: int | None = None,
    strict: bool = False,
    precision: Literal["fp32", "bf16", "auto"] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    files: Files = DEFAULT_FILES,
) -> RunSummary:
    """Evaluate what a job asks for and the store does not have yet.

    Args:
        job: A job, the name of a builtin one, or a TOML file.
        store: Where results go; made if it does not exist.
        workers: Worker processes; by default one per processor core.
        limit: Take only the first so many models of the manifest.
        strict: Whether an unreadable image is an error instead of being skipped.
        precision: Of the pass over the dataset, in place of the job's own.
        limits: Time and memory for one network.
        files: Room for weights, and where arrays are kept.

    Raises:
        ZooEvalError: the job cannot be run as it is. A model that fails raises nothing: it is
            counted, and `Store.failures()` says why.
    """
    job = job if isinstance(job, Job) else Job.load(job)
    store = store if isinstance(store, Store) else Store(store)
    if precision is not None:
        job = job.in_precision(precision)
    with one_run(store):
        prepared = prepare(job, store, limit=limit, strict=strict, workers=workers)
        command = f"zoo_eval.run({job.name!r})"
        return execute(prepared, workers=workers, limits=limits, files=files, command=command)


def execute(
    prepared: Prepared,
    *,
    workers: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
    files: Files = DEFAULT_FILES,
    where: Where = LOCAL,
    command: str = "",
    on_outcome: Callable[[Ended], None] = lambda _: None,
    until: float = math.inf,
) -> RunSummary:
    """Do a plan. What is finished is stored at once; an interruption loses nothing of it.

    To be called while the store is held by `one_run`.

    Args:
        prepared: From `prepare`.
        workers: Worker processes; by default one per processor core.
        limits: Time and memory for one network.
        files: Room for weights, and where arrays are kept.
        where: On this machine or on a cluster.
        command: The command line, for the record.
        on_outcome: Called after each outcome is stored.
        until: When to end, by `time.monotonic`; networks under way then are lost.

    Raises:
        WeightsError: weights are needed from a hub that cannot be reached.
        ModelError: the device cannot be used, found where the batch size is measured.
        StoreError: the store cannot be written.
        ClusterError: the cluster cannot be reached or used.
    """
    job, store, plan = prepared.job, prepared.store, prepared.plan
    summary = RunSummary(len(plan.units))
    if not plan.units:
        return summary
    (require_offline if files.offline else require_weights)(
        unit.line for unit in plan.units if unit.weights == "pretrained"
    )
    working_set = 0.0  # a cluster measures its own
    if where.executor == "local":
        # Not by what is left to do: the threads that each worker gets decide how sums are
        # rounded, and a run that goes on must give what one in a single piece would have.
        workers = max(1, min(workers or usable_cores(), plan.n_networks))
        working_set = _working_set(prepared, workers)
    settings = _settings(job, working_set)
    settings = replace(settings, arrays=files.folder(store), keep_arrays=files.keep_arrays)
    noted = run_row(job, command)
    models = [model_row(line) for line in job.manifest.lines[: prepared.limit]]
    dataset, tries = prepared.dataset, Tries(settings.precision)
    try:
        with (
            executor_of(where, workers, dataset, settings, limits, job.resources) as executor,
            Prefetch(plan.units, WeightsCache(files.weights_budget), _ahead(workers)) as units,
        ):
            store.begin_run(noted, models, dataset_row(dataset))
            for outcomes in Drive(units, executor, tries, until).outcomes():
                # Small networks finish faster than a file can be opened and closed again.
                with uninterrupted():
                    store.commit(noted.run, *(ended.outcome for ended in outcomes))
                    for ended in outcomes:
                        summary.count(ended)
                        on_outcome(ended)
    except KeyboardInterrupt:
        summary.interrupted = True
    store.end_run(noted.run, "interrupted" if summary.interrupted else "done")
    return summary


def _ahead(workers: int | None) -> int:
    """Networks whose weights are fetched before their turn."""
    return 2 * (workers or usable_cores())


def _working_set(prepared: Prepared, workers: int) -> float:
    """What suits this machine, if a network is to choose its batch size by it; else 0."""
    job = prepared.job
    if job.evaluation.batch_size != "auto" or not any(
        "images" in request.score.givens() for request in job.scores
    ):
        return 0.0
    threads = threads_of_each(workers)
    settled = _settled(job.evaluation.precision)
    return measured_working_set(prepared.store, job.evaluation.device, threads, settled)


def _settings(job: Job, working_set: float) -> Settings:
    size = job.evaluation.batch_size
    return Settings(
        device=job.evaluation.device,
        batch_size=None if size == "auto" else size,
        working_set=working_set,
        precision=_settled(job.evaluation.precision),
        gradient_precision=job.evaluation.gradient_precision,
        probe_n=job.probe.images,
        probe_seed=job.probe.seed,
        probe_source=job.probe.source,
    )


def _settled(precision: Precision | Literal["auto"]) -> Precision:
    assert precision != "auto", "`prepare` settles it"
    return precision
