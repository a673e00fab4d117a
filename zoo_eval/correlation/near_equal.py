"""Does a score order models of nearly equal size? Concordance over such pairs only."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from zoo_eval.correlation.aligned import (
    Truth,
    align,
    check_distinct,
    columns_of,
    numbers,
    same_models,
)
from zoo_eval.correlation.concordance import Concordance, Window
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.ratio import ratio
from zoo_eval.correlation.resamples import (
    Resamples,
    family_numbers,
    family_resamples,
    percentile_interval,
)
from zoo_eval.errors import InputError


@dataclass
class Line:
    """One score; the fields are the columns, explained in `near_equal_pairs`."""

    n: int = 0
    pairs: int = 0
    tau: float = math.nan
    low: float = math.nan
    high: float = math.nan
    concordant: float = math.nan
    undefined_because: str = ""


def near_equal_pairs(
    scores_wide: pd.DataFrame,
    truth: pd.Series,
    families: pd.Series,
    sizes: pd.Series,
    within: float = 0.1,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Correlate each score with an accuracy over the pairs of models of nearly equal size.

    A pair counts if the larger model is at most 1 + `within` times the smaller: such a choice
    size cannot decide. τ is τ_b over these pairs: concordant less discordant pairs over
    √(pairs untied in the score · pairs untied in the accuracy). The same weights evaluated at two
    image sizes are such a pair too; leave one of them out if that is no choice.

    Args:
        scores_wide: One row per model (the index), one column per score; NaN where undefined.
        truth: Accuracy by model.
        families: Family by model, for the bootstrap.
        sizes: Parameters (or any positive size) by model; models without one are left out.
        within: Largest relative difference.
        resamples: Bootstrap resamples of whole families; a pair of two families counts as often
            as the product of how often they are drawn.
        seed: Seed of the bootstrap.

    Returns:
        A line per score: `n`, models with score, accuracy and size; `pairs`; `tau` with the ends
        `low` and `high` of its 95 % percentile interval; `concordant`, the share of the pairs
        untied in score and accuracy that both order alike; `undefined_because`, why something
        is missing, else empty.

    Raises:
        InputError: a model or a score occurs twice, or a size or `within` is not above 0.
    """
    known = align(scores_wide.index, truth, families)
    check_distinct("models of the sizes", sizes.index)
    size = numbers(sizes.reindex(known.models))
    if not within > 0 or (size <= 0).any():
        seen = f"within = {within}" if not within > 0 else f"the smallest is {np.nanmin(size):g}"
        raise InputError(f"Pairs of near-equal size need positive sizes and limits; {seen}.")
    values = columns_of(scores_wide, known)
    for column in values.values():
        column[np.isnan(size)] = np.nan
    found: dict[str, Line] = {}
    for group in same_models(values):
        found |= _lines(group, known, size, within, resamples, seed)
    table = pd.DataFrame(
        [vars(found[name]) for name in values], columns=list(Line.__dataclass_fields__)
    )
    table.index = pd.Index(list(values), name="score", dtype=object)
    return table


def _lines(
    group: Mapping[str, Float[np.ndarray, " n"]],
    known: Truth,
    size: Float[np.ndarray, " n"],
    within: float,
    resamples: int,
    seed: int,
) -> dict[str, Line]:
    kept = ~np.isnan(next(iter(group.values())))
    truth, families = known.values[kept], known.families_of(kept)
    window = _near(size[kept], within)
    n_pairs = int((window.highest - window.x).sum())
    lines = {name: Line(len(truth), n_pairs) for name in group}
    for name, line in lines.items():
        line.undefined_because = why_undefined(group[name][kept], truth)
        if not n_pairs and not line.undefined_because:
            line.undefined_because = f"no two of {line.n} models are within {within:.0%} in size"
    defined = {name: line for name, line in lines.items() if not line.undefined_because}
    if defined:
        several = len(set(families)) > 1
        drawn = family_resamples(families, resamples, seed) if several else None
        scores = {name: group[name][kept] for name in defined}
        _fill(defined, scores, truth, family_numbers(families), window, drawn)
    return lines


def _fill(
    lines: Mapping[str, Line],
    scores: Mapping[str, Float[np.ndarray, " n"]],
    truth: Float[np.ndarray, " n"],
    families: Int[np.ndarray, " n"],
    window: Window,
    drawn: Resamples | None,
) -> None:
    """Fill in the lines of some scores: pairs are counted in families, and these resampled."""
    concordance = Concordance(truth, families, window)
    # By an order without ties all pairs of the window are untied.
    every = np.arange(len(truth))
    of_truth = concordance.untied(every).of_families
    near = Concordance(every, families, window)
    for name, line in lines.items():
        net, both = concordance(scores[name]), concordance.untied(scores[name])
        ordered = int(both.of_models.sum())
        if not ordered:
            line.undefined_because = f"all {line.pairs} pairs are tied in score or accuracy"
            continue
        line.concordant = (ordered + int(net.of_models.sum())) / (2 * ordered)
        of_score = near.untied(scores[name]).of_families
        parts = np.stack([net.of_families, of_score, of_truth]).astype(np.float64)
        line.tau = float(ratio(parts.sum(axis=(1, 2))))
        if drawn is None:
            line.undefined_because = f"no interval: all {line.n} models are of one family"
            continue
        sums = [np.einsum("rf,rf->r", drawn.counts @ part, drawn.counts) for part in parts]
        interval = percentile_interval(ratio(np.stack(sums)))
        line.low, line.high = interval.low, interval.high


def _near(size: Float[np.ndarray, " n"], within: float) -> Window:
    """Pairs of models of which the larger is at most so much larger than the other."""
    order = np.argsort(size, kind="stable")
    ends = np.searchsorted(size[order], size[order] * (1 + within), side="right")
    x, lowest, highest = np.empty((3, len(size)), np.int32)
    x[order] = np.arange(len(size))
    lowest[order] = np.searchsorted(ends, np.arange(len(size)), side="right")
    highest[order] = ends - 1
    return Window(x, lowest, highest)
