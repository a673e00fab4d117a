"""How long a report takes over a million score rows, and how much memory.

Twice: 643 scores of timm's 1,556 published models, and 100 scores of 10,000 (the same at up to
eight image sizes, which share their accuracy and so are tied). The scores are seeded noise, half
of them with some relation to accuracy; every tenth is undefined for 5 % of the models, each for
others. 1,000 bootstrap resamples; first the tables and figures alone (`--pages 0 --no-predict`),
then all: predictions of accuracy, 100 pages of scores and 100 of models. Timed is the command
`zoo-eval report` from its start to its end, with the processes that it begins: starting Python is
part of it, filling the store is not. Usage: python benchmarks/report_million.py
"""

import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path

import psutil
from _million import fill
from _timing import machine
from planning import at_many_sizes

from zoo_eval.manifest import Manifest
from zoo_eval.store import Store

WAYS = {"tables and figures": ("--pages", "0", "--no-predict"), "everything": ()}


def main() -> None:
    """Print seconds and peak memory of both shapes."""
    lines = Manifest.load("timm-imagenet").lines
    for zoo, n_scores in ((lines, 643), (list(islice(at_many_sizes(lines), 10_000)), 100)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "r.duckdb"
            fill(Store(path), zoo, n_scores)
            for what, options in WAYS.items():
                wall, processor, peak = report(path, Path(folder) / what, options)
                print(
                    f"| report on {len(zoo):,} models × {n_scores} scores, a million rows, {what} "
                    f"| – | {wall:.1f} s ({processor:.1f}), {peak / 1e9:.2f} GB | – | – "
                    f"| {machine()} |",
                    flush=True,
                )


def report(store: Path, folder: Path, options: tuple[str, ...]) -> tuple[float, float, int]:
    """Seconds, seconds of the processor, and peak bytes of the command and its processes."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "zoo_eval", "report", "--store", store, "--out", folder]
    peak = 0
    with subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL) as running:
        watched = psutil.Process(running.pid)
        while running.poll() is None:
            peak = max(peak, bytes_of(watched))
            time.sleep(0.3)  # to look takes the processor some milliseconds
    assert running.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, processor, peak


def bytes_of(process: psutil.Process) -> int:
    """Memory of a process and those below it; what they share, as libraries, is counted once."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += one.memory_full_info().pss
    return total


if __name__ == "__main__":
    main()
