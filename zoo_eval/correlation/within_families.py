"""Does a score order the models of one family? Correlation within families, pooled over them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped

from zoo_eval.correlation.aligned import Truth, align, columns_of, same_models
from zoo_eval.correlation.concordance import Concordance
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.ratio import ratio
from zoo_eval.correlation.resamples import family_numbers, family_resamples, percentile_interval
from zoo_eval.correlation.ties import midranks


@dataclass
class Line:
    """One score; the fields are the columns, explained in `within_families`."""

    n: int = 0
    families: int = 0
    rho: float = math.nan
    rho_low: float = math.nan
    rho_high: float = math.nan
    tau: float = math.nan
    tau_low: float = math.nan
    tau_high: float = math.nan
    undefined_because: str = ""


def within_families(
    scores_wide: pd.DataFrame,
    truth: pd.Series,
    families: pd.Series,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate each score with an accuracy among the models of each family only.

    For ρ, models are ranked within their family, by score and by accuracy; from each midrank the
    family's mean rank is taken and the rest divided by the family's size, so that a family counts
    by its number of models and not by the cube of it. ρ is the correlation of these, over all
    families together. τ is τ_b over the pairs of models of one family: concordant less discordant
    pairs over √(pairs untied in the score · pairs untied in the accuracy); a family counts by its
    number of pairs.

    Args:
        scores_wide: One row per model (the index), one column per score; NaN where undefined.
        truth: Accuracy by model.
        families: Family by model; a model without one is in no family.
        resamples: Bootstrap resamples of whole families; a family drawn twice counts twice, and
            its copies are not compared with each other.
        seed: Seed of the bootstrap.

    Returns:
        A line per score: `n`, models that share their family with another, `families`, how many
        families these are; `rho` and `tau`, each with the ends of its 95 % percentile interval;
        `undefined_because`, why something is missing, else empty.

    Raises:
        InputError: a model or a score occurs twice.
    """
    known = align(scores_wide.index, truth, families)
    values = columns_of(scores_wide, known)
    found: dict[str, Line] = {}
    for group in same_models(values):
        found |= _lines(group, known, resamples, seed)
    table = pd.DataFrame(
        [vars(found[name]) for name in values], columns=list(Line.__dataclass_fields__)
    )
    table.index = pd.Index(list(values), name="score", dtype=object)
    return table


def _lines(
    group: Mapping[str, Float[np.ndarray, " n"]], known: Truth, resamples: int, seed: int
) -> dict[str, Line]:
    kept = ~np.isnan(next(iter(group.values())))
    ids = family_numbers(known.families_of(kept))
    sizes = np.bincount(ids)
    kept[kept] = sizes[ids] > 1
    truth, families = known.values[kept], known.families_of(kept)
    ids = family_numbers(families)
    n_families = len(set(families))
    lines = {name: Line(len(truth), n_families) for name in group}
    if not n_families:
        for line in lines.values():
            line.undefined_because = "no family has two models with the score"
        return lines
    drawn = family_resamples(families, resamples, seed) if n_families > 1 else None
    ranks, concordance = _ranks(truth, ids), Concordance(truth, ids)
    untied = _untied_pairs(truth, ids)
    for name, line in lines.items():
        score = group[name][kept]
        line.undefined_because = why_undefined(score, truth)
        if line.undefined_because:
            continue
        of_score = _ranks(score, ids)
        pairs = np.diag(concordance(score).of_families).astype(np.float64)
        products = of_score * ranks, of_score**2, ranks**2
        rho_parts = np.stack([np.bincount(ids, product) for product in products])
        tau_parts = np.stack([pairs, _untied_pairs(score, ids), untied])
        line.rho, line.tau = (float(ratio(p.sum(axis=1))) for p in (rho_parts, tau_parts))
        if math.isnan(line.rho):
            line.undefined_because = "score or accuracy is constant within every family"
        elif drawn is None:
            line.undefined_because = f"no interval: all {line.n} models are of one family"
        else:
            interval = percentile_interval(ratio(rho_parts @ drawn.counts.T))
            line.rho_low, line.rho_high = interval.low, interval.high
            interval = percentile_interval(ratio(tau_parts @ drawn.counts.T))
            line.tau_low, line.tau_high = interval.low, interval.high
    return lines


def _ranks(x: Shaped[np.ndarray, " n"], ids: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Midranks within each family less their mean, over the family's size."""
    levels = np.unique(x, return_inverse=True)[1]
    ranks = midranks(ids * (levels.max() + 1) + levels)
    sizes = np.bincount(ids)
    before = np.cumsum(sizes) - sizes
    return (ranks - before[ids] - (sizes[ids] + 1) / 2) / sizes[ids]


def _untied_pairs(
    x: Shaped[np.ndarray, " n"], ids: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " families"]:
    """Ordered pairs of models of one family with different values."""
    levels = np.unique(x, return_inverse=True)[1]
    places, alike = np.unique(ids * (levels.max() + 1) + levels, return_counts=True)
    tied = np.bincount(places // (levels.max() + 1), alike**2)
    return np.bincount(ids).astype(np.float64) ** 2 - tied
