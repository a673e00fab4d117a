"""Which models, and which families, a correlation rests on."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from zoo_eval.correlation.aligned import Truth, align, columns_of, same_models
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.resamples import Resamples, family_numbers
from zoo_eval.correlation.spearman import SpearmanBootstrap, spearman_rho
from zoo_eval.correlation.without_each_model import WithoutEachModel

_COLUMNS = ["score", "without", "name", "n", "spearman_rho", "change"]
_AT_ONCE = 1000  # families


def influence(
    scores_wide: pd.DataFrame,
    truth: pd.Series,
    families: pd.Series,
    most: int | None = None,
) -> pd.DataFrame:
    """Spearman's ρ of each score without each model, and without each family; exact.

    What is left is ranked anew.

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
        for name, lines in _lines(group, known, most):
            found.setdefault(name, []).append(lines)
    frames = [lines for name in values for lines in found.get(name, [])]
    if not frames:
        return pd.DataFrame(columns=_COLUMNS)
    return pd.concat(frames, ignore_index=True)


def _lines(
    group: Mapping[str, Float[np.ndarray, " n"]], known: Truth, most: int | None
) -> Iterator[tuple[str, pd.DataFrame]]:
    kept = ~np.isnan(next(iter(group.values())))
    truth, families = known.values[kept], known.families_of(kept)
    scores = {name: column[kept] for name, column in group.items()}
    scores = {name: score for name, score in scores.items() if not why_undefined(score, truth)}
    if not scores:
        return
    models = known.models[kept].to_numpy(object)
    # A model that is its own family goes by its name in a tuple.
    named = [family[0] if isinstance(family, tuple) else family for family in families]
    ids = family_numbers(families)
    parts = (
        ("model", models, np.ones(len(models), np.intp), WithoutEachModel(truth)),
        (
            "family",
            np.array(list(dict.fromkeys(named)), object),
            np.bincount(ids),
            _WithoutEachFamily(truth, ids),
        ),
    )
    for name, score in scores.items():
        with_all = spearman_rho(score, truth)
        for kind, names, sizes, rho_without in parts:
            rho = rho_without(score)
            change = rho - with_all
            order = np.argsort(-np.abs(change), kind="stable")[:most]  # NaN last
            lines = {
                "score": name,
                "without": kind,
                "name": names[order],
                "n": len(truth) - sizes[order],
                "spearman_rho": rho[order],
                "change": change[order],
            }
            yield name, pd.DataFrame(lines)


class _WithoutEachFamily:
    """ρ of scores without each family: the resample that holds every other family once."""

    def __init__(self, truth: Float[np.ndarray, " n"], ids: Int[np.ndarray, " n"]) -> None:
        n_families = int(ids.max()) + 1
        self._bootstraps: list[SpearmanBootstrap] = []
        for first in range(0, n_families, _AT_ONCE):
            left_out = np.arange(first, min(first + _AT_ONCE, n_families))
            counts = np.ones((len(left_out), n_families))
            counts[np.arange(len(left_out)), left_out] = 0
            self._bootstraps.append(SpearmanBootstrap(truth, Resamples(ids, counts)))

    def __call__(self, score: Float[np.ndarray, " n"]) -> Float[np.ndarray, " families"]:
        return np.concatenate([bootstrap(score) for bootstrap in self._bootstraps])
