"""Two workers of one thread each against one: the same job over real networks.

The first networks of timm's shuffled manifest with 3 to 12 M parameters, freshly initialised: LogME
and DSE on 40 fashion images, and two proxies on 8. Seconds are those of the whole run, from the
first network's start to the last one's end; starting the workers is done once a run, however long
it is. The difference is the largest relative one between two values of a score.
Usage: python benchmarks/workers.py [N_NETWORKS]
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from _timing import machine

from zoo_eval.job import Job
from zoo_eval.runner import execute, prepare
from zoo_eval.store import Store

JOB = """
manifest = "timm-imagenet"
where = "params BETWEEN 3e6 AND 12e6 AND macs < 1.5e9 AND model NOT LIKE '%@%'"
order = "shuffled"
weights = ["init-neutral"]
scores = [
    {name = "logme", weights = ["init-neutral"]}, {name = "dse", weights = ["init-neutral"]},
    "grad_norm", "naswot",
]
[evaluation]
batch_size = 8
[dataset]
source = "fashion"
images_per_class = 4
[probe]
images = 8
"""


def main() -> None:
    """Print one line of the table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"  # one worker would else take both cores
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.toml"
        path.write_text(JOB, encoding="utf-8")
        (one, values), (two, again) = (
            run(Job.load(path), Store(Path(folder) / f"{workers}.duckdb"), workers, n)
            for workers in (1, 2)
        )
    different = np.abs((again - values) / values).max()
    print(
        f"| 2 workers of 1 thread, {n} networks | 1 worker: {one:.1f} s | {two:.1f} s "
        f"| {one / two:.2f} | {different:.0e} | {machine()} |"
    )


def run(job: Job, store: Store, workers: int, n: int) -> tuple[float, np.ndarray]:
    """Seconds from the first network's start to the last one's end, and the values."""
    execute(prepare(job, store, limit=n), workers=workers)
    attempts = store.attempts()
    assert set(attempts["outcome"]) == {"ok"}, set(attempts["message"])
    starts = attempts["started"].to_numpy("datetime64[us]").astype(np.int64) / 1e6
    seconds = float((starts + attempts["seconds"].to_numpy()).max() - starts.min())
    return seconds, store.scores()["value"].to_numpy()  # in the order of models and scores


if __name__ == "__main__":
    main()
