"""How long it takes to see what is left to do, at six times the size of timm's results.

10,000 models (timm's own, at up to eight image sizes) and 60 scores, planned with an empty store
and with one that has 90 % of the 600,000 values. Reading what the store has is part of the time;
loading the job is not. Usage: python benchmarks/planning.py
"""

import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from _timing import machine

from zoo_eval.job import Job
from zoo_eval.manifest import ModelLine
from zoo_eval.plan import Plan, Unit, make_plan
from zoo_eval.scores import SCORES
from zoo_eval.store import Attempt, DatasetRow, Outcome, RunRow, ScoreRow, Store

N_MODELS, N_SCORES = 10_000, 60
SIZES = (160, 224, 256, 288, 320, 384, 448, 512)
REPEATS = 5
DATASET = "fashion@1a2b3c4d"
NOON = datetime(2026, 1, 1, 12)
UNITS_A_COMMIT = 1000


def main() -> None:
    """Plan with an empty store, fill nine tenths of it, plan again; print the medians."""
    with tempfile.TemporaryDirectory() as folder:
        job = big_job(Path(folder) / "job.toml")
        store = Store(Path(folder) / "results.duckdb")
        plan = timed("an empty store", job, store)
        fill(store, (unit for place, unit in enumerate(plan.units) if place % 20 > 1))
        timed("a store that has 90 %", job, store)


def big_job(path: Path) -> Job:
    """A job of 60 scores on 10,000 models, no two alike."""
    names = ", ".join(f'"{name}"' for name in islice(SCORES, N_SCORES))
    path.write_text(
        'manifest = "timm-imagenet"\nweights = ["pretrained", "init-neutral"]\n'
        f'dataset = "fashion"\nscores = [{names}]\n'
    )
    job = Job.load(path)
    lines = tuple(islice(at_many_sizes(job.manifest.lines), N_MODELS))
    return replace(job, manifest=replace(job.manifest, lines=lines))


def at_many_sizes(lines: Iterable[ModelLine]) -> Iterator[ModelLine]:
    """Each model at each image size, as manifests name them: `resnet50.a1_in1k@288`."""
    distinct = {line.timm_name: line for line in lines}
    for size in SIZES:
        for name, line in distinct.items():
            yield replace(line, model=f"{name}@{size}", image_size=size)


def timed(what: str, job: Job, store: Store) -> Plan:
    """Plan a few times, print the median seconds."""
    plan = make_plan(job, DATASET, store.done())  # also what is loaded once only
    seconds: list[tuple[float, float]] = []
    for _ in range(REPEATS):
        start = time.perf_counter(), time.process_time()
        plan = make_plan(job, DATASET, store.done())
        seconds.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    wall, processor = map(statistics.median, zip(*seconds, strict=True))
    print(
        f"| plan {plan.n_models:,} models × {N_SCORES} scores, {what} | – "
        f"| {wall:.2f} s ({processor:.2f}) | – | {plan.n_scores_left:,} left | {machine()} |"
    )
    return plan


def fill(store: Store, units: Iterator[Unit]) -> None:
    """Store a value for every score of some units."""
    run = RunRow("r", "benchmark", "", "", NOON, None, "{}", "")
    store.begin_run(run, [], DatasetRow(DATASET, "fashion", "1a2b3c4d", 0, 0, "{}"))
    while some := list(islice(units, UNITS_A_COMMIT)):
        keys = (planned.key for unit in some for planned in unit.scores)
        rows = tuple(ScoreRow(key, 1.0, None, 0.1) for key in keys)
        store.commit("r", Outcome(Attempt("", "pretrained", 0, NOON, 0.0), rows))


if __name__ == "__main__":
    main()
