"""Can accuracy be predicted from scores, and better than from size? Whole families held out."""

import math
from collections.abc import Collection, Sequence
from concurrent.futures import Future

import numpy as np
import pandas as pd
from jaxtyping import Float

from zoo_eval.correlation.aligned import align, columns_of
from zoo_eval.correlation.defined import why_undefined
from zoo_eval.correlation.held_out import (
    Fold,
    HeldOut,
    Settings,
    hold_out,
    put_together,
)
from zoo_eval.correlation.prediction import ALL, Prediction
from zoo_eval.correlation.predictor_methods import METHODS
from zoo_eval.correlation.resamples import family_numbers, family_resamples, percentile_interval
from zoo_eval.correlation.spearman import spearman_rho
from zoo_eval.errors import InputError
from zoo_eval.side_processes import SideProcesses

SIZES = ("params", "macs", "activations")


def predict_accuracy(
    features: pd.DataFrame,
    truth: pd.Series,
    families: pd.Series,
    *,
    method: str = "ridge",
    sizes: Collection[str] = SIZES,
    folds: int = 5,
    level: float = 0.9,
    resamples: int = 1000,
    seed: int = 0,
    beside: SideProcesses | None = None,
) -> Prediction:
    """Predict an accuracy from scores and sizes, and compare with sizes alone.

    Args:
        features: One row per model (the index), one column per score or size; NaN or infinite
            where there is no number. Of more than 100, each regression uses the 100 of largest |ρ|
            on the models that it is fitted to.
        truth: Accuracy by model; models without one are left out.
        families: Family by model; a model without one is its own family.
        method: `ridge`, a sum of smooth curves, one per feature, or `trees`, gradient boosting.
        sizes: The columns of `features` that are to be beaten, each alone and all together.
        folds: Folds of the outer and of the inner cross-validation.
        level: Nominal coverage of the intervals.
        resamples: Bootstrap resamples for the interval of the gain.
        seed: Seed of the folds, the shuffles and the bootstrap.
        beside: What fits the regressions; None: this process.

    Raises:
        InputError: a model or a feature occurs twice, a size is no feature, no feature is
            no size, there are fewer than 2 families per fold, the accuracy is constant, or a
            setting is out of its range.
    """
    known = align(features.index, truth, families)
    columns = columns_of(features, known)
    _check(list(columns), list(sizes), method, folds, level)
    ids = family_numbers(known.families)
    n_families = len(set(known.families))
    if n_families < 2 * folds:
        raise InputError(
            f"Prediction with {folds} folds of whole families needs at least {2 * folds} families "
            f"with an accuracy, but there are {n_families}; take fewer folds."
        )
    why = why_undefined(np.arange(len(ids), dtype=np.float64), known.values)
    if why:
        raise InputError(f"Nothing can be predicted: {why}.")
    for column in columns.values():
        column[np.isinf(column)] = np.nan
    sets: dict[str, Sequence[str]] = {ALL: list(columns), **{size: [size] for size in sizes}}
    if len(sizes) > 1:
        sets[" + ".join(sizes)] = list(sizes)
    settings, beside = Settings(METHODS[method], folds, level, seed), beside or SideProcesses()
    begun: dict[str, list[Future[Fold]]] = {}
    for name, chosen in sets.items():
        matrix = np.column_stack([columns[feature] for feature in chosen])
        begun[name] = [
            beside.submit(hold_out, matrix, known.values, ids, settings, place, name != ALL)
            for place in range(folds)
        ]
    found = {
        name: put_together([fold.result() for fold in of_set], len(ids), len(sets[name]))
        for name, of_set in begun.items()
    }
    ours = found[ALL]
    inside = (ours.low <= known.values) & (known.values <= ours.high)
    return Prediction(
        method,
        level,
        pd.DataFrame(
            {
                "family": [f[0] if isinstance(f, tuple) else f for f in known.families],
                "fold": ours.fold,
                "accuracy": known.values,
                "predicted": ours.predicted,
                "low": ours.low,
                "high": ours.high,
            },
            known.models,
        ),
        _quality(found, sets, known.values, known.families, resamples, seed),
        float((np.bincount(ids, inside) / np.bincount(ids)).mean()),
        float(inside.mean()),
        _importance(ours, list(columns)),
    )


def _check(features: list[str], sizes: list[str], method: str, folds: int, level: float) -> None:
    missing = [size for size in sizes if size not in features]
    if missing or not sizes:
        raise InputError(f"The sizes must be among the features; {missing or 'none'} is not.")
    if not set(features) - set(sizes):
        raise InputError(f"There is no feature but the sizes {', '.join(sizes)}.")
    if method not in METHODS:
        raise InputError(f"The method is one of {', '.join(METHODS)}, not {method!r}.")
    if folds < 2 or not 0 < level < 1:
        raise InputError(
            f"Needed are 2 folds or more and a level between 0 and 1, not {folds} and {level:g}."
        )


def _quality(
    found: dict[str, HeldOut],
    sets: dict[str, Sequence[str]],
    truth: Float[np.ndarray, " n"],
    families: Sequence[object],
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    drawn = family_resamples(list(families), resamples, seed)
    sizes = drawn.counts @ np.bincount(drawn.families)
    errors = {name: np.abs(held.predicted - truth) for name, held in found.items()}
    rows: dict[str, dict[str, float]] = {}
    for name, held in found.items():
        gains = errors[name] - errors[ALL]
        interval = percentile_interval(drawn.counts @ np.bincount(drawn.families, gains) / sizes)
        ours = name == ALL
        rows[name] = {
            "features": len(sets[name]),
            "mae": float(errors[name].mean()),
            "r2": 1 - float((errors[name] ** 2).sum() / ((truth - truth.mean()) ** 2).sum()),
            "rho": spearman_rho(held.predicted, truth),
            "gain": math.nan if ours else float(gains.mean()),
            "gain_low": math.nan if ours else interval.low,
            "gain_high": math.nan if ours else interval.high,
        }
    return pd.DataFrame.from_dict(rows, orient="index").astype({"features": int})


def _importance(held: HeldOut, features: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "importance": held.importance.mean(axis=0),
            "lowest": held.importance.min(axis=0),
            "highest": held.importance.max(axis=0),
        },
        pd.Index(features, name="feature", dtype=object),
    )
    return table.sort_values("importance", ascending=False, kind="stable")
