"""How long the main table takes: 60 scores of 1,556 models, 1,000 resamples, 1,999 permutations.

The baseline is scipy on the repeated data of each resample, as the tests do it: ρ and τ_b of one
score, timed on a few resamples and multiplied. Ours also has r, plain intervals, weighted τ,
partial ρ and both p-values. Usage: python benchmarks/correlate_60.py
"""

import time

import numpy as np
import pandas as pd
from _timing import machine
from scipy import stats

from zoo_eval.correlation import correlate, family_resamples
from zoo_eval.manifest import Manifest

N_SCORES = 60
RESAMPLES = 1000
TIMED = 10


def main() -> None:
    """Print seconds of both, and how far apart their intervals of one score are."""
    lines = list(Manifest.load("timm-imagenet"))
    facts = pd.DataFrame([line.cells for line in lines]).set_index("model")
    truth = facts["imagenet_top1"]
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(len(facts), N_SCORES))
    scores = pd.DataFrame(noise, facts.index, [f"score{i}" for i in range(N_SCORES)])
    scores = scores.add(20 * truth, axis=0)
    start = time.perf_counter()
    table = correlate(scores, truth, facts["family"], facts["params"], RESAMPLES)
    ours = time.perf_counter() - start
    x, y = scores["score0"].to_numpy(), truth.to_numpy()
    drawn = family_resamples(facts["family"].tolist(), RESAMPLES, seed=0)
    weights = drawn.by_family[drawn.families].astype(int).T
    start = time.perf_counter()
    for count in weights[:TIMED]:
        a, b = np.repeat(x, count), np.repeat(y, count)
        stats.spearmanr(a, b)
        stats.kendalltau(a, b)
    baseline = (time.perf_counter() - start) / TIMED * RESAMPLES * N_SCORES
    rho = [stats.spearmanr(np.repeat(x, c), np.repeat(y, c)).statistic for c in weights]
    expected = np.quantile(rho, [0.025, 0.975])
    found = table.loc["score0", ["spearman_low", "spearman_high"]].to_numpy(float)
    print(
        f"| main table, {N_SCORES} scores × {len(facts):,} models × {RESAMPLES:,} resamples "
        f"| {baseline:.0f} s, ρ and τ_b only | {ours:.1f} s | {baseline / ours:.0f} "
        f"| {np.abs(found - expected).max():.1e} in the ends of an interval | {machine()} |"
    )


if __name__ == "__main__":
    main()
