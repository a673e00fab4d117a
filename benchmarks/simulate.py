"""What a long batch costs beside evaluating: 100,000 units of 1 ms through a real executor.

Everything is as in a run (plan, prefetcher, executor, worker processes, retries, store), only that
the worker sleeps a millisecond in place of evaluating a network and gives ten random values. For
each number of units: the seconds of planning on an empty store, of the run, of planning again on
the full store, units per second, the main process's memory after a tenth and at the end, and the
size of the store. Usage: python benchmarks/simulate.py [local|ray] [--units N …] [--workers 2]
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import psutil
from _timing import machine
from planning import at_many_sizes
from zoo_eval.executors.process import Limits

from zoo_eval.drive import Drive
from zoo_eval.executors.local import LocalExecutor
from zoo_eval.executors.task import Executor, Task
from zoo_eval.job import Job
from zoo_eval.models.published.cache import WeightsCache
from zoo_eval.plan import make_plan
from zoo_eval.prefetch import Prefetch
from zoo_eval.retrying import Tries
from zoo_eval.run_rows import model_row
from zoo_eval.scores import SCORES
from zoo_eval.store import Attempt, DatasetRow, Outcome, RunRow, ScoreRow, Store

SEEDS = 10
N_SCORES = 10
UNIT_S = 0.001
DATASET = "fashion@1a2b3c4d"
LIMITS = Limits(networks=10**9)


class Sleeper:
    """A worker that sleeps in place of evaluating."""

    def __init__(self, threads: int, workers: int, memory: int | None) -> None:
        del threads, workers, memory
        self._random = random.Random(0)

    def work(self, task: Task, doing: Callable[[str], None]) -> tuple[Outcome, int]:
        """Ten random values, after a millisecond."""
        doing("sleep")
        started = datetime.now(UTC).replace(tzinfo=None)
        time.sleep(UNIT_S)
        unit = task.unit
        rows = tuple(ScoreRow(key, self._random.random(), None, UNIT_S) for key in unit.keys)
        attempt = Attempt(unit.line.model, unit.weights, unit.seed, started, UNIT_S)
        return Outcome(attempt, rows), 0


def main() -> None:
    """Print a line for each number of units."""
    parser = argparse.ArgumentParser()
    parser.add_argument("executor", nargs="?", choices=["local", "ray"], default="local")
    parser.add_argument("--units", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    for n_units in asked.units:
        print(measured(asked.executor, n_units, asked.workers), flush=True)


def measured(kind: str, n_units: int, workers: int) -> str:
    """Plan, run, plan again; a line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        job = big_job(Path(folder) / "job.toml", n_units // SEEDS)
        store = Store(Path(folder) / "r.duckdb")
        start = time.perf_counter()
        plan = make_plan(job, DATASET, store.done())
        planning = time.perf_counter() - start
        assert len(plan.units) == n_units
        run = RunRow("simulated", "simulated", "", "", datetime(2026, 1, 1), None, "{}", "")
        models = [model_row(line) for line in job.manifest.lines]
        store.begin_run(run, models, DatasetRow(DATASET, "", "", 0, 0, "{}"))
        memory: list[tuple[int, int]] = []
        done = 0
        with executor_of(kind, workers) as executor:
            start = time.perf_counter()
            with Prefetch(plan.units, WeightsCache(None), 2 * workers) as units:
                for outcomes in Drive(units, executor, Tries("fp32")).outcomes():
                    store.commit(run.run, *(ended.outcome for ended in outcomes))
                    done += len(outcomes)
                    memory.append((done, psutil.Process().memory_info().rss))
            seconds = time.perf_counter() - start
        store.end_run(run.run, "done")
        assert done == n_units
        start = time.perf_counter()
        again = make_plan(job, DATASET, store.done(), given_up=store.given_up().keys())
        resuming = time.perf_counter() - start
        assert not again.units
        early = next(rss for n, rss in memory if n >= n_units / 10)
        return (
            f"| {kind}, {n_units:,} units, {N_SCORES * n_units:,} rows, {workers} workers "
            f"| {planning:.2f} s | {seconds:.1f} s | {n_units / seconds:.0f} a second "
            f"| {resuming:.2f} s | {early / 1e6:.0f} MB, {max(m for _, m in memory) / 1e6:.0f} MB "
            f"| {store.path.stat().st_size / 1e6:.1f} MB | {machine()} |"
        )


def big_job(path: Path, n_models: int) -> Job:
    """A job of ten scores on initial weights, ten seeds each."""
    names = (name for name, score in SCORES.items() if "init" in (score.weights or ()))
    scores = ", ".join(f'"{name}"' for name in islice(names, N_SCORES))
    path.write_text(
        f'manifest = "timm-imagenet"\nweights = ["init"]\nseeds = {list(range(SEEDS))}\n'
        f'dataset = "fashion"\nscores = [{scores}]\n'
    )
    job = Job.load(path)
    lines = tuple(islice(at_many_sizes(job.manifest.lines), n_models))
    return replace(job, manifest=replace(job.manifest, lines=lines))


@contextmanager
def executor_of(kind: str, workers: int) -> Generator[Executor]:
    """A real executor with sleeping workers, started."""
    if kind == "local":
        with LocalExecutor(workers, Sleeper, LIMITS) as executor:
            yield executor
        return
    from zoo_eval.executors.ray import RayExecutor
    from zoo_eval.executors.ray_cluster import RayCluster
    from zoo_eval.executors.resources import Need

    with RayCluster(None, workers) as cluster:
        need = Need(cpus=1, gpus=0.0, memory=100_000_000)
        yield RayExecutor(cluster, Sleeper, LIMITS, lambda _: need, workers=workers)


if __name__ == "__main__":
    main()
