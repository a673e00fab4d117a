"""Intervals of the plain bootstrap, in which every model is drawn by itself."""

import numpy as np
import pandas as pd

from zoo_eval.correlation.aligned import align, columns_of, same_models
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.kendall_by_model import KendallByModel
from zoo_eval.correlation.pearson import PearsonBootstrap
from zoo_eval.correlation.resamples import family_resamples, percentile_interval
from zoo_eval.correlation.spearman import SpearmanBootstrap


def plain_intervals(
    scores_wide: pd.DataFrame, truth: pd.Series, resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """What the intervals would be if models of one family were independent.

    They are not: where these intervals are much narrower than those of `correlate`, the families
    decide.

    Args:
        scores_wide: One row per model (the index), one column per score; NaN where undefined.
        truth: Accuracy by model.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        One row per score: `spearman_low`, `spearman_high`, `kendall_low`, `kendall_high`,
        `pearson_low`, `pearson_high`, ends of 95 % percentile intervals; NaN for a score without a
        correlation.

    Raises:
        InputError: a model or a score occurs twice.
    """
    known = align(scores_wide.index, truth, pd.Series(dtype=object))
    values = columns_of(scores_wide, known)
    found: dict[str, dict[str, float]] = {name: {} for name in values}
    for group in same_models(values):
        kept = ~np.isnan(next(iter(group.values())))
        y = known.values[kept]
        defined = [name for name, x in group.items() if not why_undefined(x[kept], y)]
        if not defined:
            continue
        drawn = family_resamples(range(len(y)), resamples, seed)
        for name, bootstrap in (
            ("spearman", SpearmanBootstrap(y, drawn)),
            ("kendall", KendallByModel(y, drawn)),
            ("pearson", PearsonBootstrap(y, drawn)),
        ):
            for score in defined:
                interval = percentile_interval(bootstrap(group[score][kept]))
                found[score] |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
    ends = [
        f"{name}_{end}" for name in ("spearman", "kendall", "pearson") for end in ("low", "high")
    ]
    table = pd.DataFrame([found[name] for name in values], columns=ends, dtype=np.float64)
    table.index = pd.Index(list(values), name="score", dtype=object)
    return table
