"""Scores in bfloat16 against float32: do they rank the fashion zoo alike?

The 61 trained networks, 1,000 fashion images, the pass over them in each precision through a run of
one worker. The difference is Spearman's ρ of a score's two values over the networks. Processors
without bfloat16 products emulate them, which gives the same values more slowly.
Usage: python benchmarks/precision.py [N_NETWORKS]
"""

import sys
import tempfile
from pathlib import Path
from typing import Literal

from _timing import machine

from zoo_eval.correlation import spearman_rho
from zoo_eval.job import Job
from zoo_eval.report.frames import Frame
from zoo_eval.runner import execute, prepare
from zoo_eval.store import Store

SCORES = ("logme", "knn_accuracy", "dse")
JOB = """
manifest = "fashion"
weights = ["pretrained"]
scores = ["logme", "knn_accuracy", "dse"]
[evaluation]
batch_size = 64
[dataset]
source = "fashion"
images_per_class = 100
"""


def main() -> None:
    """Print one line of the table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.toml"
        path.write_text(JOB, encoding="utf-8")
        single, half = (run(Job.load(path), Path(folder), name, n) for name in ("fp32", "bf16"))
    rhos = (f"{s} {spearman_rho(single[s].to_numpy(), half[s].to_numpy()):.5f}" for s in SCORES)
    seconds = single["seconds"].sum(), half["seconds"].sum()
    print(
        f"| scores in bf16, {len(single)} networks, 1,000 images | in fp32: {seconds[0]:.0f} s "
        f"| {seconds[1]:.0f} s | {seconds[0] / seconds[1]:.2f} | ρ: {', '.join(rhos)} "
        f"| {machine()} |"
    )


def run(job: Job, folder: Path, precision: Literal["fp32", "bf16"], n: int | None) -> Frame:
    """One line per network: its scores, and the seconds that it took."""
    store = Store(folder / f"{precision}.duckdb")
    execute(prepare(job.in_precision(precision), store, limit=n), workers=1)
    wide: Frame = store.scores().pivot(index="model", columns="score", values="value")
    return wide.assign(seconds=store.attempts().set_index("model")["seconds"])


if __name__ == "__main__":
    main()
