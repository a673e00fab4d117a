"""Which models, and which families, a correlation rests on."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from zoo_eval.correlation.aligned import Truth, align, columns_of, same_models
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.resamples import Resamples, family_numbers
from zoo_eval.correlation.spearman import SpearmanBootstrap, spearman_rho

_COLUMNS = ["score", "without", "name", "n", "spearman_rho", "change"]
_AT_ONCE = 1000  # models or families; a matrix of all models by all would not fit for many


def influence(
    scores_wide: pd.DataFrame,
    truth: pd.Series,
    families: pd.Series,
    most: int | None = None,
) -> pd.DataFrame:
    """Spearman's ρ of each score without each model, and without each family; exact.

    What is left is ranked anew. Leaving a model out is a resample that holds every other once.

    Args:
        scores_wide: One row per model (the index), one column per score; NaN where undefined.
        truth: Accuracy by model.
        families: Family by model; a model without one is its own family, named as the model.
        most: How many models and how many families to give for each score; None gives all.

    Returns:
        For each score its models, then its families, the largest |change| first: `score`,
        `without` (`model` or `family`), `name`, `n` (models left), `spearman_rho` without it,
        `change` (ρ without it less ρ with it). NaN where the rest is constant. A score without a
        correlation has no line.

    Raises:
        InputError: a model or a score occurs twice.
    """
    known = align(scores_wide.index, truth, families)
    values = columns_of(scores_wide, known)
    found: dict[str, list[pd.DataFrame]] = {}
    for group in same_models(values):
        for name, lines in _lines(group, known):
            found.setdefault(name, []).append(lines.head(len(lines) if most is None else most))
    frames = [lines for name in values for lines in found.get(name, [])]
    if not frames:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.concat(frames, ignore_index=True)


def _lines(
    group: Mapping[str, Float[np.ndarray, " n"]], known: Truth
) -> Iterator[tuple[str, pd.DataFrame]]:
    kept = ~np.isnan(next(iter(group.values())))
    truth, families = known.values[kept], known.families_of(kept)
    scores = {name: column[kept] for name, column in group.items()}
    scores = {name: score for name, score in scores.items() if not why_undefined(score, truth)}
    if not scores:
        return
    models = known.models[kept].tolist()
    # A model that is its own family goes by its name in a tuple.
    named = [family[0] if isinstance(family, tuple) else family for family in families]
    for kind, names, ids in (
        ("model", models, np.arange(len(models))),
        ("family", list(dict.fromkeys(named)), family_numbers(families)),
    ):
        rhos = _without_each(scores, truth, ids)
        left = len(truth) - np.bincount(ids)
        for score, rho in rhos.items():
            change = rho - spearman_rho(scores[score], truth)
            order = np.argsort(-np.abs(change), kind="stable")  # NaN last
            yield (
                score,
                pd.DataFrame(
                    {
                        "score": score,
                        "without": kind,
                        "name": [names[place] for place in order],
                        "n": left[order],
                        "spearman_rho": rho[order],
                        "change": change[order],
                    }
                ),
            )


def _without_each(
    scores: Mapping[str, Float[np.ndarray, " n"]],
    truth: Float[np.ndarray, " n"],
    ids: Int[np.ndarray, " n"],
) -> dict[str, Float[np.ndarray, " parts"]]:
    """ρ of each score without each part of the models, parts numbered from 0."""
    n_parts = int(ids.max()) + 1
    rhos = {name: np.full(n_parts, math.nan) for name in scores}
    for first in range(0, n_parts, _AT_ONCE):
        parts = np.arange(first, min(first + _AT_ONCE, n_parts))
        counts = np.ones((len(parts), n_parts))
        counts[np.arange(len(parts)), parts] = 0
        rho_of = SpearmanBootstrap(truth, Resamples(ids, counts))
        for name, score in scores.items():
            rhos[name][parts] = rho_of(score)
    return rhos
