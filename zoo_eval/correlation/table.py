"""The table of correlations: every statistic of every score with one accuracy."""

import math
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from zoo_eval.correlation.aligned import Truth, align, check_distinct, numbers
from zoo_eval.correlation.holm import holm
from zoo_eval.correlation.kendall import KendallBootstrap, kendall_tau
from zoo_eval.correlation.partial import partial_spearman
from zoo_eval.correlation.resamples import Interval, family_resamples, percentile_interval
from zoo_eval.correlation.spearman import SpearmanBootstrap, spearman_p_value, spearman_rho
from zoo_eval.correlation.weighted_tau import weighted_tau

# Of 4 models only 24 orders exist: no order of them would be surprising.
MIN_MODELS = 5


@dataclass
class _Row:
    """One score's line in the table; the fields are the columns, explained in `correlate`."""

    n: int
    coverage: float
    spearman_rho: float = math.nan
    spearman_low: float = math.nan
    spearman_high: float = math.nan
    kendall_tau: float = math.nan
    kendall_low: float = math.nan
    kendall_high: float = math.nan
    p_value: float = math.nan
    p_holm: float = math.nan
    weighted_tau: float = math.nan
    partial_rho: float = math.nan
    resamples_dropped: int = 0
    undefined_because: str = ""


def correlate(
    scores_wide: pd.DataFrame,
    truth: pd.Series,
    families: pd.Series,
    params: pd.Series,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate each score with an accuracy over models. Signs stay signed.

    Each score is judged on the models that have both it and the accuracy.

    Args:
        scores_wide: One row per model (the index), one column per score; NaN where undefined.
        truth: Accuracy by model; models without one are left out.
        families: Family by model, for the bootstrap; a model without one is its own family.
        params: Number of parameters by model, the control of the partial correlation.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.

    Returns:
        One row per score, in the order of the columns:
        `n`, models with the score and the accuracy; `coverage`, their share of the models with
        the accuracy; `spearman_rho`, `kendall_tau` (τ_b), each with `_low` and `_high`, the 95 %
        percentile interval of a bootstrap clustered by family; `p_value` of ρ = 0 and `p_holm`,
        corrected over the rows; `weighted_tau`; `partial_rho`, ρ given log parameters, NaN if the
        parameters fix the score's order; `resamples_dropped`, resamples in which the score or the
        accuracy was constant; `undefined_because`, why statistics are missing, else empty.

    Raises:
        InputError: a model occurs twice in one of the frames, or a score in `scores_wide`.
    """
    known = align(scores_wide.index, truth, families)
    check_distinct("models of the params", params.index)
    control = numbers(params.reindex(known.models))
    check_distinct("columns of the scores", scores_wide.columns)
    matrix = scores_wide.loc[known.models].to_numpy(dtype=np.float64, na_value=np.nan)
    values = dict(zip(map(str, scores_wide.columns), matrix.T.copy(), strict=True))
    rows: dict[str, _Row] = {}
    for names in _same_models(values):
        kept = ~np.isnan(values[names[0]])
        of_kept = {name: values[name][kept] for name in names}
        rows |= _rows(of_kept, known, kept, control, resamples, seed)
    ordered = [vars(rows[name]) for name in values]
    table = pd.DataFrame(ordered, columns=[field.name for field in fields(_Row)])
    table.index = pd.Index(list(values), name="score", dtype=object)
    table["p_holm"] = holm(np.array([row["p_value"] for row in ordered], np.float64))
    return table


def _same_models(values: dict[str, Float[np.ndarray, " n"]]) -> list[list[str]]:
    """Scores grouped by which models have them: each group shares its resamples."""
    groups: dict[bytes, list[str]] = {}
    for name, column in values.items():
        groups.setdefault(np.isnan(column).tobytes(), []).append(name)
    return list(groups.values())


def _rows(
    scores: dict[str, Float[np.ndarray, " kept"]],
    known: Truth,
    kept: Bool[np.ndarray, " n"],
    control: Float[np.ndarray, " n"],
    resamples: int,
    seed: int,
) -> dict[str, _Row]:
    """Rows of scores that are defined for the same models."""
    truth, control = known.values[kept], control[kept]
    coverage = len(truth) / len(kept) if len(kept) else math.nan
    rows = {name: _Row(len(truth), coverage) for name in scores}
    defined: dict[str, Float[np.ndarray, " kept"]] = {}
    for name, score in scores.items():
        rows[name].undefined_because = why_undefined(score, truth)
        if not rows[name].undefined_because:
            defined[name] = score
            _point_statistics(rows[name], score, truth, control)
    families = known.families_of(kept)
    if defined and len(set(families)) < 2:
        for name in defined:
            rows[name].undefined_because = f"no interval: all {len(truth)} models are of one family"
    elif defined:
        drawn = family_resamples(families, resamples, seed)
        spearman, kendall = SpearmanBootstrap(truth, drawn), KendallBootstrap(truth, drawn)
        for name, score in defined.items():
            _set_intervals(
                rows[name],
                percentile_interval(spearman(score)),
                percentile_interval(kendall(score)),
            )
    return rows


def why_undefined(score: Float[np.ndarray, " n"], truth: Float[np.ndarray, " n"]) -> str:
    """Why a score cannot be correlated on these models; empty if it can."""
    if len(score) < MIN_MODELS:
        return f"only {len(score)} models have it, at least {MIN_MODELS} are needed"
    for what, values in (("score", score), ("accuracy", truth)):
        if (values == values[0]).all():
            return f"the {what} is {values[0]:.6g} for all {len(values)} models"
    return ""


def _point_statistics(
    row: _Row,
    score: Float[np.ndarray, " n"],
    truth: Float[np.ndarray, " n"],
    control: Float[np.ndarray, " n"],
) -> None:
    row.spearman_rho = spearman_rho(score, truth)
    row.kendall_tau = kendall_tau(score, truth)
    row.p_value = spearman_p_value(score, truth)
    row.weighted_tau = weighted_tau(score, truth)
    sized = ~np.isnan(control)
    if sized.sum() >= MIN_MODELS:
        row.partial_rho = partial_spearman(score[sized], truth[sized], control[sized, None])


def _set_intervals(row: _Row, spearman: Interval, kendall: Interval) -> None:
    row.spearman_low, row.spearman_high = spearman.low, spearman.high
    row.kendall_low, row.kendall_high = kendall.low, kendall.high
    row.resamples_dropped = spearman.dropped
