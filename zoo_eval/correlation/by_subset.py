"""The same scores on several subsets of models and against several accuracies, side by side."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import joblib
import numpy as np
import pandas as pd
from jaxtyping import Float
from threadpoolctl import threadpool_limits

from zoo_eval.correlation.aligned import align, check_distinct, columns_of, same_models
from zoo_eval.correlation.concordance import Concordance
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.kendall import KendallBootstrap, kendall_tau_of
from zoo_eval.correlation.resamples import Resamples, family_resamples, percentile_intervals
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
    tasks: list[tuple[str, pd.DataFrame, pd.DataFrame]] = []
    for subset in subsets.columns:
        scores: pd.DataFrame = scores_wide.loc[chosen[subset].to_numpy()]
        tasks += [(str(subset), scores, some) for some in _same_known(truths, scores.index)]
    lines = partial(_lines, families=families, resamples=resamples, seed=seed)
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(joblib.cpu_count()) as threads:
        found = threads.map(lines, *zip(*tasks, strict=True)) if tasks else ()
        rows = {(line.subset, line.truth, line.score): vars(line) for of in found for line in of}
    ordered = [
        rows[str(subset), str(truth), str(score)]
        for subset in subsets.columns
        for truth in truths.columns
        for score in scores_wide.columns
    ]
    return pd.DataFrame(ordered, columns=list(Line.__dataclass_fields__))


def _same_known(truths: pd.DataFrame, models: pd.Index) -> list[pd.DataFrame]:
    """Accuracies grouped by which of some models have them."""
    known = truths.reindex(models).notna()
    groups: dict[bytes, list[str]] = {}
    for truth in truths.columns:
        groups.setdefault(known[truth].to_numpy().tobytes(), []).append(truth)
    return [truths.loc[:, names] for names in groups.values()]


def _lines(
    subset: str,
    scores_wide: pd.DataFrame,
    truths: pd.DataFrame,
    families: pd.Series,
    resamples: int,
    seed: int,
) -> list[Line]:
    """Lines of one subset, for accuracies that the same models have."""
    known = align(scores_wide.index, truths.iloc[:, 0], families)
    accuracies = truths.reindex(known.models).to_numpy(np.float64, na_value=np.nan).T
    found: list[Line] = []
    for group in same_models(columns_of(scores_wide, known)):
        kept = ~np.isnan(next(iter(group.values())))
        ys, of_family = accuracies[:, kept], known.families_of(kept)
        scores = {name: column[kept] for name, column in group.items()}
        lines = {
            name: [Line(subset, str(truth), name, len(of_family)) for truth in truths.columns]
            for name in scores
        }
        for name, x in scores.items():
            found += lines[name]
            for line, y in zip(lines[name], ys, strict=True):
                line.undefined_because = why_undefined(x, y)
        varying = [place for place, y in enumerate(ys) if len(y) and (y != y[0]).any()]
        defined = {
            name: [lines[name][place] for place in varying]
            for name in scores
            if any(not line.undefined_because for line in lines[name])
        }
        if defined:
            several = len(set(of_family)) > 1
            drawn = family_resamples(of_family, resamples, seed) if several else None
            _fill(defined, scores, ys[varying], drawn)
    return found


def _fill(
    lines: Mapping[str, Sequence[Line]],
    scores: Mapping[str, Float[np.ndarray, " n"]],
    truths: Float[np.ndarray, "truths n"],
    drawn: Resamples | None,
) -> None:
    """Fill in lines, one per accuracy, of some scores; accuracies share what a score costs."""
    bootstraps = drawn and (SpearmanBootstrap(truths, drawn), KendallBootstrap(truths, drawn))
    one_family = np.zeros(truths.shape[1], np.intp)
    concordance = bootstraps[1].concordance if bootstraps else Concordance(truths, one_family)
    for name, of_score in lines.items():
        x = scores[name]
        agreement = concordance(x)
        for line, y, of_models in zip(of_score, truths, agreement.of_models, strict=True):
            line.rho, line.tau = spearman_rho(x, y), kendall_tau_of(of_models, x, y)
        if not bootstraps:
            for line in of_score:
                line.undefined_because = f"no interval: all {line.n} models are of one family"
            continue
        rhos = percentile_intervals(bootstraps[0](x))
        taus = percentile_intervals(bootstraps[1].from_agreement(agreement, x))
        for line, rho, tau in zip(of_score, rhos, taus, strict=True):
            line.low, line.high, line.tau_low, line.tau_high = rho.low, rho.high, tau.low, tau.high
