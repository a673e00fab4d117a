"""A store with a million score rows, seeded, for the benchmarks that need one."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from zoo_eval.manifest import ModelLine
from zoo_eval.run_rows import model_row
from zoo_eval.store import Attempt, DatasetRow, Outcome, RunRow, ScoreKey, ScoreRow, Store

NOON = datetime(2026, 1, 1, 12)
MODELS_A_COMMIT = 200


def fill(store: Store, lines: Sequence[ModelLine], n_scores: int) -> None:
    """Store random scores of some models, half of the scores with some relation to accuracy.

    Every tenth score is undefined for 5 % of the models, each for others.
    """
    run = RunRow("million", "benchmark", "", "", NOON, None, "{}", "")
    models = [model_row(line) for line in lines]
    store.begin_run(run, models, DatasetRow("none", "none", "", 0, 0, "{}"))
    rng = np.random.default_rng(0)
    for first in range(0, len(lines), MODELS_A_COMMIT):
        some = lines[first : first + MODELS_A_COMMIT]
        store.commit("million", *(_outcome(line, n_scores, rng) for line in some))


def _outcome(line: ModelLine, n_scores: int, rng: np.random.Generator) -> Outcome:
    top1 = line.accuracies()["imagenet", "top1"]
    values = rng.normal(size=n_scores) + 20 * top1 * (np.arange(n_scores) % 2)
    undefined = (rng.random(n_scores) < 0.05) & (np.arange(n_scores) % 10 == 0)
    rows = tuple(
        ScoreRow(
            ScoreKey(line.model, "init", 0, "none", f"score{place}", "{}", 1, ""),
            None if missing else value,
            "no spectrum" if missing else None,
            0.1,
        )
        for place, (value, missing) in enumerate(zip(values.tolist(), undefined, strict=True))
    )
    return Outcome(Attempt(line.model, "init", 0, NOON, 0.1), rows)
