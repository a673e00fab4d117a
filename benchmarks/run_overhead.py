"""What a run costs beside evaluating networks, with tiny networks and scores that cost nothing.

The fashion zoo's 61 architectures, two initialisations each, `params` and `l2_norm`: 122 networks
by one worker and by two; and by one worker into a store that holds a million rows already, which
every result is then added to. Time outside evaluation is that from the start of the first network
to the end of the last, less what the workers spent in `evaluate`; beside it, the processor time of
the main process, which plans, hands out and stores. Starting the workers and loading torch there,
once a run, is stated by itself. Usage: python benchmarks/run_overhead.py
"""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from _million import fill
from _timing import machine

from zoo_eval.job import Job
from zoo_eval.manifest import Manifest
from zoo_eval.report.frames import Frame
from zoo_eval.runner import execute, prepare
from zoo_eval.store import Store

JOB = """
manifest = "fashion"
weights = ["init"]
seeds = [0, 1]
scores = ["params", "l2_norm"]
[dataset]
source = "fashion"
images_per_class = 4
[probe]
images = 4
"""


def main() -> None:
    """Run three times, print a line each."""
    for workers, million in ((1, False), (2, False), (1, True)):
        with tempfile.TemporaryDirectory() as folder:
            job = Path(folder) / "job.toml"
            job.write_text(JOB)
            store = Store(Path(folder) / "r.duckdb")
            if million:
                fill(store, Manifest.load("timm-imagenet").lines, 643)
            print(measured(Job.load(job), store, workers), flush=True)


def measured(job: Job, store: Store, workers: int) -> str:
    """Run a job, and say what it cost a network."""
    rows = store.sql("SELECT count(*) AS n FROM scores")["n"][0] if store.path.exists() else 0
    prepared = prepare(job, store)
    start, processor = datetime.now(UTC).replace(tzinfo=None), time.process_time()
    summary = execute(prepared, workers=workers)
    processor = time.process_time() - processor
    n = summary.n_ok
    assert n == summary.n_units
    attempts: Frame = store.attempts()
    attempts = attempts[attempts["started"] >= start]
    first = attempts["started"].min()
    last = (attempts["started"] + pd.to_timedelta(attempts["seconds"], unit="s")).max()
    evaluation = float(attempts["seconds"].sum()) / workers
    outside = (last - first).total_seconds() - evaluation
    return (
        f"| outside evaluation, {workers} workers, {n} networks, {rows:,} rows before | – "
        f"| {1e3 * outside / n:.0f} ms a network ({1e3 * processor / n:.0f} in the main process), "
        f"{1e3 * evaluation / n:.0f} ms inside; started in {(first - start).total_seconds():.1f} s "
        f"| – | – | {machine()} |"
    )


if __name__ == "__main__":
    main()
