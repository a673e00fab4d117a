"""How long a report takes over a million score rows, and how much memory.

Twice: 643 scores of timm's 1,556 published models, and 100 scores of 10,000 (the same at up to
eight image sizes, which share their accuracy and so are tied). The scores are seeded noise, half
of them with some relation to accuracy; every tenth is undefined for 5 % of the models, each for
others. 1,000 bootstrap resamples, all pages, tables and figures. The report is made in a process
of its own, whose peak memory is stated; loading torch is part of the time, filling the store is
not. Usage: python benchmarks/report_million.py
"""

import re
import tempfile
import time
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from _million import fill
from _timing import machine
from planning import at_many_sizes

from zoo_eval.manifest import Manifest
from zoo_eval.report import collect, write_report
from zoo_eval.store import Store


def main() -> None:
    """Print seconds and peak memory of both shapes."""
    lines = Manifest.load("timm-imagenet").lines
    for zoo, n_scores in ((lines, 643), (list(islice(at_many_sizes(lines), 10_000)), 100)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "r.duckdb"
            fill(Store(path), zoo, n_scores)
            with get_context("spawn").Pool(1) as pool:
                wall, processor, peak = pool.apply(report, (path, Path(folder) / "report"))
        print(
            f"| report on {len(zoo):,} models × {n_scores} scores, a million rows | – "
            f"| {wall:.1f} s ({processor:.1f}), {peak / 1e9:.2f} GB | – | – | {machine()} |",
            flush=True,
        )


def report(store: Path, folder: Path) -> tuple[float, float, int]:
    """Seconds, seconds of the processor, and peak bytes of this process."""
    start = time.perf_counter(), time.process_time()
    write_report(collect(Store(store)), folder)
    seconds = time.perf_counter() - start[0], time.process_time() - start[1]
    # Not ru_maxrss: there Linux counts the parent's memory at the time of the fork.
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return *seconds, 1024 * int(found[1])


if __name__ == "__main__":
    main()
