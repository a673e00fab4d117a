"""What seeds do to scores: a table, usable on any pandas frame."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from zoo_eval.correlation.intraclass import intraclass_correlation
from zoo_eval.correlation.outranking import pair_certainty, seed_tau

_COLUMNS = (
    *("models", "seeds", "median_sd", "icc", "icc_low", "icc_high"),
    *("seed_tau", "pair_certainty"),
)


def seed_means(by_seed: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation of a score over the seeds of each model.

    GaSNet-II's errors, which this is after, divide by S; here by S − 1, so that the square is
    unbiased.

    Args:
        by_seed: One row per model, one column per seed; NaN where undefined.

    Returns:
        `seeds` (how many have a value), `mean`, and `sd`, NaN for a model with fewer than two.

    References:
        Zhong et al., "Galaxy Spectra Neural Network (GaSNet). II", 2023 (errors from randomised
        weights), https://arxiv.org/abs/2311.04146
    """
    return pd.DataFrame(
        {
            "seeds": by_seed.count(axis=1),
            "mean": by_seed.mean(axis=1),
            "sd": by_seed.std(axis=1, ddof=1),
        }
    )


def over_seeds(scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How much of each score is the model's and how much the seed's.

    Args:
        scores: By name: one row per model, one column per seed; NaN where undefined.

    Returns:
        A row per score (the index, `score`): `models` with two values or more, `seeds` (most that
        a model has), `median_sd` (over these models, in the score's unit), `icc` with `icc_low`
        and `icc_high` (see `intraclass_correlation`), `seed_tau` and `pair_certainty` (see there).
        Statistics are of the models with two values or more; NaN where undefined.

    >>> seeds = pd.DataFrame([[1.0, 1.5], [2.0, 2.5], [4.0, 4.5]])
    >>> over_seeds({"snip": seeds})[["models", "seeds", "seed_tau"]].loc["snip"].tolist()
    [3.0, 2.0, 1.0]
    """
    lines = [_line(by_seed) for by_seed in scores.values()]
    return pd.DataFrame(
        lines, index=pd.Index(list(scores), name="score", dtype=object), columns=list(_COLUMNS)
    )


def _line(by_seed: pd.DataFrame) -> dict[str, int | float]:
    values = by_seed.to_numpy(np.float64)
    counts = np.sum(~np.isnan(values), axis=1)
    values = values[counts >= 2]
    deviations = np.nanstd(values, axis=1, ddof=1)
    icc = intraclass_correlation(values)
    return {
        "models": len(values),
        "seeds": int(counts.max(initial=0)),
        "median_sd": float(np.median(deviations)) if len(values) else math.nan,
        "icc": icc.icc,
        "icc_low": icc.low,
        "icc_high": icc.high,
        "seed_tau": seed_tau(values),
        "pair_certainty": pair_certainty(values),
    }
