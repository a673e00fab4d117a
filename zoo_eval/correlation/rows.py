"""Lines of the table, for scores of the same models: these share ranks, pairs and resamples."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float

from zoo_eval.correlation.aligned import Truth
from zoo_eval.correlation.concordance import Concordance
from zoo_eval.correlation.defined import MIN_MODELS, why_undefined
from zoo_eval.correlation.kendall import KendallBootstrap, kendall_tau_of
from zoo_eval.correlation.partial import partial_of_ranks
from zoo_eval.correlation.pearson import PearsonBootstrap, pearson_r
from zoo_eval.correlation.resamples import Resamples, family_resamples, percentile_intervals
from zoo_eval.correlation.row import Row
from zoo_eval.correlation.spearman import (
    SpearmanBootstrap,
    centred_ranks,
    p_value_of_rho,
    spearman_rho,
)
from zoo_eval.correlation.weighted_tau import weighted_tau_of


def rows_of(
    columns: Mapping[str, Float[np.ndarray, " n"]],
    known: Truth,
    control: Float[np.ndarray, " n"],
    baseline: Float[np.ndarray, " n"] | None,
    resamples: int,
    seed: int,
) -> dict[str, Row]:
    """Every statistic of some scores, but p-values that other scores have a part in.

    These are Holm's, which depend on all scores, and those of permutations, which all share.

    Args:
        columns: The scores, at least one; NaN for the same models.
        known: The accuracy.
        control: The control of the partial correlation.
        baseline: A score to compare with. If it is NaN for a model of the scores, the comparison
            is left out: it needs other resamples.
        resamples: Bootstrap resamples.
        seed: Seed of the bootstrap.
    """
    kept: Bool[np.ndarray, " n"] = ~np.isnan(next(iter(columns.values())))
    truth, families = known.values[kept], known.families_of(kept)
    coverage = len(truth) / len(kept) if len(kept) else math.nan
    rows = {name: Row(len(truth), coverage) for name in columns}
    for name, row in rows.items():
        row.undefined_because = why_undefined(columns[name][kept], truth)
    defined = {name: row for name, row in rows.items() if not row.undefined_because}
    if not defined:
        return rows
    lines = list(defined.values())
    scores = np.stack([columns[name][kept] for name in defined])
    _by_ranks(lines, scores, truth, control[kept])
    drawn = family_resamples(families, resamples, seed) if len(set(families)) > 1 else None
    if drawn is None:
        for row in lines:
            row.undefined_because = f"no interval: all {len(truth)} models are of one family"
    _by_pairs(lines, scores, truth, drawn)
    _by_values(lines, scores, truth, drawn)
    rival = None if baseline is None else baseline[kept]
    _by_resampled_ranks(lines, scores, truth, drawn, rival)
    return rows


def _by_ranks(
    rows: Sequence[Row],
    scores: Float[np.ndarray, "scores kept"],
    truth: Float[np.ndarray, " kept"],
    control: Float[np.ndarray, " kept"],
) -> None:
    """ρ, its p-value, and partial ρ."""
    ranks, of_truth = centred_ranks(scores), centred_ranks(truth)
    rhos = ranks @ of_truth / np.sqrt((ranks**2).sum(axis=1) * (of_truth @ of_truth))
    for row, rho in zip(rows, rhos.tolist(), strict=True):
        row.spearman_rho, row.p_value = rho, p_value_of_rho(rho, len(truth))
    sized = ~np.isnan(control)
    if sized.sum() < MIN_MODELS:
        return
    if not sized.all():
        ranks, of_truth = centred_ranks(scores[:, sized]), centred_ranks(truth[sized])
    held = centred_ranks(control[sized])[:, None]
    for row, rho in zip(rows, partial_of_ranks(ranks.T, of_truth, held).tolist(), strict=True):
        row.partial_rho = rho


def _by_pairs(
    rows: Sequence[Row],
    scores: Float[np.ndarray, "scores kept"],
    truth: Float[np.ndarray, " kept"],
    drawn: Resamples | None,
) -> None:
    """τ_b with its interval, and weighted τ."""
    bootstrap = KendallBootstrap(truth, drawn) if drawn else None
    one_family = np.zeros(len(truth), np.intp)
    concordance = bootstrap.concordance if bootstrap else Concordance(truth, one_family)
    resampled: list[Float[np.ndarray, " resamples"]] = []
    for row, score in zip(rows, scores, strict=True):
        agreement = concordance(score)
        row.kendall_tau = kendall_tau_of(agreement.of_models, score, truth)
        row.weighted_tau = weighted_tau_of(agreement.of_models, score, truth)
        if bootstrap:
            resampled.append(bootstrap.from_agreement(agreement, score))
    if bootstrap:
        intervals = percentile_intervals(np.stack(resampled))
        for row, interval in zip(rows, intervals, strict=True):
            row.kendall_low, row.kendall_high = interval.low, interval.high


def _by_values(
    rows: Sequence[Row],
    scores: Float[np.ndarray, "scores kept"],
    truth: Float[np.ndarray, " kept"],
    drawn: Resamples | None,
) -> None:
    """Pearson's r with its interval."""
    for row, score in zip(rows, scores, strict=True):
        row.pearson_r = pearson_r(score, truth)
    if drawn:
        bootstrap = PearsonBootstrap(truth, drawn)
        intervals = percentile_intervals(np.stack([bootstrap(score) for score in scores]))
        for row, interval in zip(rows, intervals, strict=True):
            row.pearson_low, row.pearson_high = interval.low, interval.high


def _by_resampled_ranks(
    rows: Sequence[Row],
    scores: Float[np.ndarray, "scores kept"],
    truth: Float[np.ndarray, " kept"],
    drawn: Resamples | None,
    rival: Float[np.ndarray, " kept"] | None,
) -> None:
    """The interval of ρ, and the difference to a rival with its interval, as in `compare`."""
    if rival is None or np.isnan(rival).any() or why_undefined(rival, truth):
        rival = None
    rival_rho = math.nan if rival is None else spearman_rho(rival, truth)
    for row in rows:
        row.difference = abs(row.spearman_rho) - abs(rival_rho)
    if drawn is None:
        return
    bootstrap = SpearmanBootstrap(truth, drawn)
    resampled = np.stack([bootstrap(score) for score in scores])
    for row, interval in zip(rows, percentile_intervals(resampled), strict=True):
        row.spearman_low, row.spearman_high = interval.low, interval.high
        row.resamples_dropped = interval.dropped
    if rival is not None:
        signs = np.copysign(1, [row.spearman_rho for row in rows])
        strengths = signs[:, None] * resampled
        of_rival = math.copysign(1, rival_rho) * bootstrap(rival)
        for row, interval in zip(rows, percentile_intervals(strengths - of_rival), strict=True):
            row.difference_low, row.difference_high = interval.low, interval.high
