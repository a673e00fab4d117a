"""Correlations of scores with each other: which of them say the same."""

import math

import numpy as np
import pandas as pd

from zoo_eval.correlation.aligned import align, check_distinct, columns_of, same_models
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.resamples import Interval, family_resamples, percentile_interval
from zoo_eval.correlation.spearman import SpearmanBootstrap, spearman_rho

_COLUMNS = ["first", "second", "n", "spearman_rho", "spearman_low", "spearman_high"]
_NONE = Interval(math.nan, math.nan, 0)


def among(
    scores_wide: pd.DataFrame, families: pd.Series, resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Correlate each two scores on the models that have both. Signs stay signed.

    Args:
        scores_wide: One row per model (the index), one column per score; NaN where undefined.
        families: Family by model, for the bootstrap; a model without one is its own family.
        resamples: Bootstrap resamples.
        seed: Of the bootstrap.

    Returns:
        A line per pair, in the order of the columns: `first`, `second`, `n`, and `spearman_rho`
        with `spearman_low` and `spearman_high`, the 95 % percentile interval of a bootstrap
        clustered by family; NaN where models are too few or one of the scores is constant.

    Raises:
        InputError: a model or a score occurs twice.
    """
    check_distinct("columns of the scores", scores_wide.columns)
    lines = [
        line
        for place, (_, first) in enumerate(scores_wide.items())
        for line in _with(first, scores_wide.iloc[:, place + 1 :], families, resamples, seed)
    ]
    return pd.DataFrame(lines, columns=_COLUMNS)


def _with(
    first: pd.Series, others: pd.DataFrame, families: pd.Series, resamples: int, seed: int
) -> list[tuple[str, str, int, float, float, float]]:
    """One score with each of some others."""
    known = align(others.index, first, families)
    values = columns_of(others, known)
    found: dict[str, tuple[int, float, Interval]] = {}
    for group in same_models(values):
        kept = ~np.isnan(next(iter(group.values())))
        y, of_family = known.values[kept], known.families_of(kept)
        several = len(set(of_family)) > 1
        bootstrap = (
            SpearmanBootstrap(y, family_resamples(of_family, resamples, seed)) if several else None
        )
        for name, column in group.items():
            x = column[kept]
            if why_undefined(x, y):
                found[name] = len(y), math.nan, _NONE
            else:
                interval = percentile_interval(bootstrap(x)) if bootstrap else _NONE
                found[name] = len(y), spearman_rho(x, y), interval
    return [
        (str(first.name), name, n, rho, interval.low, interval.high)
        for name in values
        for n, rho, interval in [found[name]]
    ]
