"""Memory of one worker over 300 networks: peak, and growth after the first round of them.

The 61 trained networks of the fashion zoo, five times over less five, with an embedding score and
two proxies each, evaluated in this process as a worker does. The baseline is the same process
without giving memory back between networks (`zoo_eval.executors.memory`).
Usage: python benchmarks/memory.py [N_NETWORKS]
"""

import multiprocessing
import resource
import sys
import tempfile
from pathlib import Path

import torch
from _timing import machine

from zoo_eval.datasets import load_dataset
from zoo_eval.evaluate import evaluate
from zoo_eval.executors.memory import give_back
from zoo_eval.job import Job
from zoo_eval.plan import make_plan
from zoo_eval.settings import Settings

JOB = """
manifest = "fashion"
weights = ["pretrained"]
scores = [
    "params", "dse", "logme",
    {name = "grad_norm", weights = ["pretrained"]}, {name = "naswot", weights = ["pretrained"]},
]
[dataset]
source = "fashion"
images_per_class = 20
[probe]
images = 16
"""


def main() -> None:
    """Print one line of the table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        kept, freed = (pool.apply(resident_after_each, (n, free)) for free in (False, True))
    first = min(61, n // 2)
    growth = [max(sizes[-first:]) / max(sizes[:first]) - 1 for sizes in (kept[0], freed[0])]
    print(
        f"| memory of a worker over {n} networks | "
        f"{max(kept[0]):.0f} MB, peak {kept[1]:.0f} MB, {growth[0]:+.1%} after {first} | "
        f"{max(freed[0]):.0f} MB, peak {freed[1]:.0f} MB, {growth[1]:+.1%} | "
        f"{max(kept[0]) / max(freed[0]):.1f} | – | {machine()} |"
    )


def resident_after_each(n: int, free: bool) -> tuple[list[float], float]:
    """Megabytes in memory after each network, and the peak; in a process of its own."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.toml"
        path.write_text(JOB, encoding="utf-8")
        job = Job.load(path)
    dataset = load_dataset(job.dataset)
    settings = Settings(
        "cpu", 16, 0.0, "fp32", "fp32", probe_n=16, probe_seed=0, probe_source="dataset"
    )
    units = make_plan(job, dataset.label, set()).units
    sizes: list[float] = []
    for place in range(n):
        outcome = evaluate(units[place % len(units)], dataset, settings, {})
        assert outcome.attempt.outcome == "ok", outcome.attempt.message
        if free:
            give_back()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        sizes.append(pages * resource.getpagesize() / 1e6)
    return sizes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
