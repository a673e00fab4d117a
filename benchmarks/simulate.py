"""What a long batch costs beside evaluating: 100,000 units of 1 ms through a real executor.

Everything is as in a run (plan, prefetcher, executor, worker processes, retries, store), only that
the worker sleeps a millisecond in place of evaluating a network and gives ten random values. For
each number of units: the seconds of planning on an empty store, of the run, of planning again on
the full store, units per second, the main process's memory after a tenth and at the end, and the
size of the store. Usage: python benchmarks/simulate.py [local|ray] [--units N …] [--workers 2]
[--chart FILE]
"""

import argparse
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

import psutil
from _sleeper import Sleeper
from _timing import machine
from planning import at_many_sizes

from zoo_eval.drive import Drive
from zoo_eval.executors.local import LocalExecutor
from zoo_eval.executors.process import Limits
from zoo_eval.executors.task import Executor
from zoo_eval.job import Job
from zoo_eval.models.published.cache import WeightsCache
from zoo_eval.plan import make_plan
from zoo_eval.prefetch import Prefetch
from zoo_eval.retrying import Tries
from zoo_eval.run_rows import model_row
from zoo_eval.scores import SCORES
from zoo_eval.store import DatasetRow, RunRow, Store

SEEDS = 10
N_SCORES = 10
DATASET = "fashion@1a2b3c4d"
LIMITS = Limits(networks=10**9)


@dataclass(frozen=True)
class Cost:
    """What so many units cost: seconds and bytes."""

    units: int
    planning: float
    running: float
    resuming: float
    early: int
    peak: int
    store: int

    def line(self, kind: str, workers: int) -> str:
        """A line of the table."""
        return (
            f"| {kind}, {self.units:,} units, {N_SCORES * self.units:,} rows, {workers} workers "
            f"| {self.planning:.2f} s | {self.running:.1f} s "
            f"| {self.units / self.running:.0f} a second | {self.resuming:.2f} s "
            f"| {self.early / 1e6:.0f} MB, {self.peak / 1e6:.0f} MB | {self.store / 1e6:.1f} MB "
            f"| {machine()} |"
        )


def main() -> None:
    """Print a line for each number of units; draw them if asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("executor", nargs="?", choices=["local", "ray"], default="local")
    parser.add_argument("--units", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--chart", type=Path)
    asked = parser.parse_args()
    costs: list[Cost] = []
    for n_units in asked.units:
        costs.append(measured(asked.executor, n_units, asked.workers))
        print(costs[-1].line(asked.executor, asked.workers), flush=True)
    if asked.chart is not None:
        draw(costs, asked.chart)


def measured(kind: str, n_units: int, workers: int) -> Cost:
    """Plan, run, plan again."""
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
        with (
            executor_of(kind, workers) as executor,
            Prefetch(plan.units, WeightsCache(None), 2 * workers) as units,
        ):
            start = time.perf_counter()
            for outcomes in Drive(units, executor, Tries("fp32")).outcomes():
                if not done:  # the workers have started, which is another cost, once a run
                    start = time.perf_counter()
                store.commit(run.run, *(ended.outcome for ended in outcomes))
                done += len(outcomes)
                memory.append((done, psutil.Process().memory_info().rss))
            running = time.perf_counter() - start
        store.end_run(run.run, "done")
        assert done == n_units
        start = time.perf_counter()
        again = make_plan(job, DATASET, store.done(), given_up=store.given_up().keys())
        resuming = time.perf_counter() - start
        assert not again.units
        early = next(rss for n, rss in memory if n >= n_units / 10)
        peak = max(rss for _, rss in memory)
        size = store.path.stat().st_size
        return Cost(n_units, planning, running, resuming, early, peak, size)


def draw(costs: list[Cost], file: Path) -> None:
    """Cost against size, both on logarithmic axes: a straight diagonal is linear."""
    import matplotlib.pyplot as plt  # only here: the memory of this process is measured

    rows = [N_SCORES * cost.units for cost in costs]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for name in ("planning", "running", "resuming"):
        left.loglog(rows, [getattr(cost, name) for cost in costs], marker="o", label=name)
    left.set(xlabel="score rows", ylabel="seconds")
    right.loglog(rows, [cost.peak / 1e6 for cost in costs], marker="o", label="main process")
    right.loglog(rows, [cost.store / 1e6 for cost in costs], marker="o", label="store")
    right.set(xlabel="score rows", ylabel="MB")
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(file, dpi=120)


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
