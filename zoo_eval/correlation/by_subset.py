"""The same scores on several subsets of models and against several accuracies, side by side."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import joblib
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from zoo_eval.correlation.aligned import align, check_distinct, columns_of, same_models
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.kendall import KendallBootstrap, kendall_tau
from zoo_eval.correlation.resamples import family_resamples, percentile_interval
from zoo_eval.correlation.spearman import SpearmanBootstrap, spearman_rho


@dataclass
class Line:
    """One subset, accuracy and score; the fields are the columns, explained in `by_subset`."""

    subset: str
    truth: str
    score: str
    n: int
    rho: float = math.nan
    low: float = math.nan
    high: float = math.nan
    tau: float = math.nan
    tau_low: float = math.nan
    tau_high: float = math.nan
    undefined_because: str = ""


def by_subset(
    scores_wide: pd.DataFrame,
    truths: pd.DataFrame,
    families: pd.Series,
    subsets: pd.DataFrame,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate each score with each accuracy on each subset of the models.

    Subsets overlap and share models with the whole, so that the intervals of two lines are no test
    of their difference.

    Args:
        scores_wide: One row per model (the index), one column per score; NaN where undefined.
        truths: One row per model, one column per accuracy.
        families: Family by model, for the bootstrap.
        subsets: One row per model, one boolean column per subset; a model without a row is in
            none. `top_share` makes one of the best models.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        A line for each subset, accuracy and score, in this order: `subset`, `truth`, `score`,
        `n`, `rho` (Spearman) with `low` and `high`, `tau` (τ_b) with `tau_low` and `tau_high`,
        95 % percentile intervals clustered by family, and `undefined_because`.

    Raises:
        InputError: a model, a score, an accuracy or a subset occurs twice.
    """
    for what, names in (
        ("columns of the truths", truths.columns),
        ("columns of the subsets", subsets.columns),
        ("models of the subsets", subsets.index),
        ("models of the truths", truths.index),
    ):
        check_distinct(what, names)
    chosen = subsets.astype(bool).reindex(scores_wide.index, fill_value=False)
    tables = [
        (str(subset), scores_wide[chosen[subset].to_numpy()], truths[truth])
        for subset in subsets.columns
        for truth in truths.columns
    ]
    lines = partial(_lines, families=families, resamples=resamples, seed=seed)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(joblib.cpu_count()) as threads:
        found = threads.map(lines, *zip(*tables, strict=True)) if tables else ()
        rows = [vars(line) for of_table in found for line in of_table]
    return pd.DataFrame(rows, columns=list(Line.__dataclass_fields__))


def _lines(
    subset: str,
    scores_wide: pd.DataFrame,
    truth: pd.Series,
    families: pd.Series,
    resamples: int,
    seed: int,
) -> list[Line]:
    known = align(scores_wide.index, truth, families)
    values = columns_of(scores_wide, known)
    lines: dict[str, Line] = {}
    for group in same_models(values):
        kept = ~np.isnan(next(iter(group.values())))
        y, of_family = known.values[kept], known.families_of(kept)
        several = len(set(of_family)) > 1
        drawn = family_resamples(of_family, resamples, seed) if several else None
        bootstraps = drawn and (SpearmanBootstrap(y, drawn), KendallBootstrap(y, drawn))
        for name, column in group.items():
            x = column[kept]
            line = lines[name] = Line(subset, str(truth.name), name, len(y))
            line.undefined_because = why_undefined(x, y)
            if line.undefined_because:
                continue
            line.rho, line.tau = spearman_rho(x, y), kendall_tau(x, y)
            if not bootstraps:
                line.undefined_because = f"no interval: all {len(y)} models are of one family"
                continue
            rho, tau = (percentile_interval(bootstrap(x)) for bootstrap in bootstraps)
            line.low, line.high, line.tau_low, line.tau_high = rho.low, rho.high, tau.low, tau.high
    return [lines[name] for name in values]
