"""The table of correlations: every statistic of every score with one accuracy."""

import math
from collections.abc import Collection, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import fields
from functools import partial

import joblib
import numpy as np
import pandas as pd
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from zoo_eval.correlation.aligned import (
    Truth,
    align,
    check_distinct,
    columns_of,
    numbers,
    same_models,
)
from zoo_eval.correlation.comparison import compare
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.holm import holm
from zoo_eval.correlation.permutation import Group, permutation_p_values_of_groups
from zoo_eval.correlation.row import Row
from zoo_eval.correlation.rows import rows_of
from zoo_eval.correlation.spearman import spearman_rho

_OF_BASELINES = ["difference", "difference_low", "difference_high"]


def correlate(
    scores_wide: pd.DataFrame,
    truth: pd.Series,
    families: pd.Series,
    params: pd.Series,
    resamples: int = 1000,
    seed: int = 0,
    baselines: Collection[str] = (),
    permutations: int = 1999,
) -> pd.DataFrame:
    """Correlate each score with an accuracy over models. Signs stay signed.

    Each score is judged on the models that have both it and the accuracy.

    Args:
        scores_wide: One row per model (the index), one column per score; NaN where undefined.
        truth: Accuracy by model; models without one are left out.
        families: Family by model, for the bootstrap; a model without one is its own family.
        params: Number of parameters by model, the control of the partial correlation.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap and of the permutations.
        baselines: Columns of `scores_wide` that the other scores are compared with.
        permutations: Permutations of the accuracies. No p-value of theirs is below
            1/(permutations + 1), which Holm's correction multiplies by the number of scores.

    Returns:
        One row per score, in the order of the columns:
        `n`, models with the score and the accuracy; `coverage`, their share of the models with
        the accuracy; `spearman_rho`, `kendall_tau` (τ_b), `pearson_r` (NaN for a score with an
        infinite value), each with `_low` and `_high`, the 95 % percentile interval of a bootstrap
        clustered by family (`plain_intervals` has those of one that draws every model by itself);
        `p_value` of ρ = 0 from the t distribution and `p_permuted` from permutations, `p_holm` and
        `p_permuted_holm`, the same corrected over the rows; `weighted_tau`; `partial_rho`, ρ given
        log parameters, NaN if the parameters fix the score's order; `resamples_dropped`, resamples
        in which the score or the accuracy was constant; `undefined_because`, why statistics are
        missing, else empty.
        With baselines also `difference`, `difference_low`, `difference_high`: what `compare` says
        of each score and the baseline of largest |ρ|; NaN for baselines.

    Raises:
        InputError: a model occurs twice in one of the frames, or a score in `scores_wide`.
    """
    known = align(scores_wide.index, truth, families)
    check_distinct("models of the params", params.index)
    control = numbers(params.reindex(known.models))
    values = columns_of(scores_wide, known)
    best = _strongest({name: values[name] for name in values if name in baselines}, known)
    rows: dict[str, Row] = {}
    lines = partial(rows_of, known=known, control=control, baseline=values.get(best))
    lines = partial(lines, resamples=resamples, seed=seed)
    # numpy lets other threads run while it counts and multiplies; each thread has one core.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(joblib.cpu_count()) as threads:
        for found in threads.map(lines, same_models(values)):
            rows |= found
        defined = {n: x for n, x in values.items() if not math.isnan(rows[n].spearman_rho)}
        for name, p_value in _permuted(defined, known, permutations, seed, threads).items():
            rows[name].p_permuted = p_value
    for name, row in rows.items():
        if name in baselines:
            row.difference = row.difference_low = row.difference_high = math.nan
        elif best and math.isnan(row.difference) and not math.isnan(row.spearman_rho):
            # The baseline lacks some of the score's models: on the others the score differs too.
            score, baseline = (pd.Series(values[key], known.models) for key in (name, best))
            found = compare(score, baseline, truth, families, resamples, seed)
            row.difference = found.difference
            row.difference_low, row.difference_high = found.low, found.high
    ordered = [vars(rows[name]) for name in values]
    table = pd.DataFrame(ordered, columns=[field.name for field in fields(Row)])
    table.index = pd.Index(list(values), name="score", dtype=object)
    for raw, corrected in (("p_value", "p_holm"), ("p_permuted", "p_permuted_holm")):
        table[corrected] = holm(np.array([row[raw] for row in ordered], np.float64))
    return table if baselines else table.drop(columns=_OF_BASELINES)


def _permuted(
    values: Mapping[str, Float[np.ndarray, " n"]],
    known: Truth,
    permutations: int,
    seed: int,
    threads: Executor,
) -> dict[str, float]:
    """p-values by permutation of scores that have a correlation."""
    groups = list(same_models(values))
    if not groups:
        return {}
    kept = [~np.isnan(next(iter(group.values()))) for group in groups]
    p_values = permutation_p_values_of_groups(
        [
            Group(np.stack([x[of] for x in group.values()]), known.values[of], of)
            for group, of in zip(groups, kept, strict=True)
        ],
        permutations,
        seed,
        threads,
    )
    names = [name for group in groups for name in group]
    return dict(zip(names, np.concatenate(p_values).tolist(), strict=True))


def _strongest(baselines: dict[str, Float[np.ndarray, " n"]], known: Truth) -> str:
    """The baseline of largest |ρ|, the first of several; empty if none has a correlation."""
    strengths: dict[str, float] = {}
    for name, column in baselines.items():
        kept = ~np.isnan(column)
        if not why_undefined(column[kept], known.values[kept]):
            strengths[name] = abs(spearman_rho(column[kept], known.values[kept]))
    return max(strengths, key=lambda name: strengths[name], default="")
