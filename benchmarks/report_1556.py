"""How long a report takes over every published result of timm.

1,556 models, 25 seeded random scores beside the three baselines, 1,000 bootstrap resamples,
all pages, tables and figures, with processes beside as the command has them.
Usage: python benchmarks/report_1556.py
"""

import json
import tempfile
import time
from datetime import datetime
from pathlib import Path

import numpy as np
from _timing import machine

from zoo_eval.manifest import Manifest
from zoo_eval.report import collect, write_report
from zoo_eval.run_rows import model_row
from zoo_eval.side_processes import side_processes
from zoo_eval.store import Attempt, DatasetRow, Outcome, RunRow, ScoreKey, ScoreRow, Store

N_SCORES = 25


def main() -> None:
    """Fill a store, write the report, print seconds and sizes."""
    manifest = Manifest.load("timm-imagenet")
    noon = datetime(2026, 1, 1, 12)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "r.duckdb")
        run = RunRow("r", "benchmark", "", "", noon, None, json.dumps({}), "")
        models = [model_row(line) for line in manifest]
        store.begin_run(run, models, DatasetRow("none", "none", "", 0, 0, "{}"))
        rows = tuple(scores(manifest))
        store.commit("r", Outcome(Attempt("", "pretrained", 0, noon, 0.0), rows))
        start = time.perf_counter()
        with side_processes(["zoo_eval.report", "zoo_eval.correlation.predictor"]) as beside:
            files = write_report(collect(store), Path(folder) / "report", beside=beside)
        seconds = time.perf_counter() - start
        size = files.html.stat().st_size
    print(
        f"| report on {len(models):,} models × {N_SCORES} scores, 1,000 resamples | – "
        f"| {seconds:.1f} s, page of {size / 1e6:.1f} MB | – | – | {machine()} |"
    )


def scores(manifest: Manifest) -> list[ScoreRow]:
    """Random scores, half of them with some relation to accuracy."""
    generator = np.random.default_rng(0)
    rows: list[ScoreRow] = []
    for line in manifest:
        top1 = line.accuracies()["imagenet", "top1"]
        for place, noise in enumerate(generator.normal(size=N_SCORES)):
            value = float(noise + 20 * top1 * (place % 2))
            key = ScoreKey(line.model, "init", 0, "none", f"score{place}", "{}", 1, "")
            rows.append(ScoreRow(key, value, None, 0.1))
    return rows


if __name__ == "__main__":
    main()
