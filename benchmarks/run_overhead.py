"""What a run costs beside evaluating networks: 305 tiny ones, and two scores that cost nothing.

The fashion zoo's 61 architectures with five initialisations each. Time outside evaluation is the
time between the start of the first network and the end of the last, less the time that the
workers spent in `evaluate`; starting the workers, once a run, is stated by itself. Half of it is
measured again with a store of a million rows, which every result is then added to.
Usage: python benchmarks/run_overhead.py
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from zoo_eval.job import Job
from zoo_eval.runner import Prepared, execute, prepare
from zoo_eval.store import Attempt, Outcome, ScoreKey, ScoreRow, Store

JOB = """
manifest = "fashion"
weights = ["init"]
seeds = [0, 1, 2, 3, 4]
scores = ["params", "l2_norm"]
[dataset]
source = "fashion"
images_per_class = 4
[probe]
images = 4
"""


class TimedStore(Store):
    """A store that notes how long it takes to store an outcome."""

    seconds = 0.0

    def commit(self, *arguments) -> None:
        start = time.perf_counter()
        super().commit(*arguments)
        self.seconds += time.perf_counter() - start


def main() -> None:
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "job.toml"
            path.write_text(JOB)
            store = TimedStore(Path(folder) / "r.duckdb")
            if len(sys.argv) > 1:
                import shutil
                shutil.copy(sys.argv[1], store.path)
            job = Job.load(path)
            prepared = prepare(job, store)
            start = datetime.utcnow()
            w = time.perf_counter()
            c = os.times()
            execute(prepared, workers=workers)
            wall = time.perf_counter() - w
            c2 = os.times()
            a = store.sql("SELECT * FROM attempts WHERE job_run <> '' ") if 0 else store.attempts()
            a = a[a.model != ""]
            assert (a.outcome == "ok").all(), a.message.unique()
            n = len(a)
            first = a.started.min()
            startup = (first - start).total_seconds()
            last = (a.started + a.seconds.map(lambda s: __import__("pandas").Timedelta(seconds=s))).max()
            span = (last - first).total_seconds()
            print(f"{workers} workers, {n} networks: wall {wall:.1f} startup {startup:.1f}, span {span:.1f}, evaluation {a.seconds.sum()/n*1e3:.1f} ms, outside {(span - a.seconds.sum()/workers)/n*1e3:.1f} ms a network; all {(wall - a.seconds.sum()/workers)/n*1e3:.1f}; commit {store.seconds/n*1e3:.1f} ms; end {(wall-startup-span):.2f}; main cpu {(c2.user-c.user+c2.system-c.system)/n*1e3:.1f} ms, size {store.path.stat().st_size/1e6:.1f}", flush=True)


if __name__ == "__main__":
    main()
