"""Is one score better than another? A paired comparison on the same models."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from zoo_eval.correlation.aligned import align, numbers
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.resamples import family_resamples, percentile_interval
from zoo_eval.correlation.spearman import SpearmanBootstrap, spearman_rho


@dataclass(frozen=True)
class Comparison:
    """How much stronger one score's correlation is than another's.

    Attributes:
        n: Models that have both scores and the accuracy.
        difference: |ρ| of the first less |ρ| of the second, on those models.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    n: int
    difference: float
    low: float
    high: float


def compare(
    first: pd.Series,
    second: pd.Series,
    truth: pd.Series,
    families: pd.Series,
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Difference in strength |ρ| of two scores, with a bootstrap clustered by family.

    Both scores see the same models in each resample, so that what moves both cancels. In a
    resample each ρ keeps the sign that it has on all models: a score that turns round
    counts as negative strength there, not as strong.

    Args:
        first: A score by model.
        second: Another score by model, for example a baseline.
        truth: Accuracy by model.
        families: Family by model.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        NaN for what is undefined: fewer than 5 common models, a constant score, one family.

    Raises:
        InputError: a model occurs twice in one of the columns.
    """
    both = pd.concat({"first": first, "second": second}, axis=1, join="inner").dropna()
    known = align(both.index, truth, families)
    pair = [numbers(both.loc[known.models, side]) for side in ("first", "second")]
    n = len(known.values)
    if any(why_undefined(score, known.values) for score in pair):
        return Comparison(n, math.nan, math.nan, math.nan)
    rhos = [spearman_rho(score, known.values) for score in pair]
    difference = abs(rhos[0]) - abs(rhos[1])
    if len(set(known.families)) < 2:
        return Comparison(n, difference, math.nan, math.nan)
    bootstrap = SpearmanBootstrap(known.values, family_resamples(known.families, resamples, seed))
    strengths = [np.copysign(1, rho) * bootstrap(x) for rho, x in zip(rhos, pair, strict=True)]
    interval = percentile_interval(strengths[0] - strengths[1])
    return Comparison(n, difference, interval.low, interval.high)
