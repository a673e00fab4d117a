"""Nested cross-validation with whole families held out."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
from jaxtyping import Float, Int
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from zoo_eval.correlation.conformal import cv_plus_intervals
from zoo_eval.correlation.predictor_methods import Method, features_behind
from zoo_eval.correlation.shuffled import importance_of_each

_SHUFFLES = 3


@dataclass(frozen=True)
class Settings:
    """How to hold out.

    Attributes:
        method: What is fitted.
        folds: Outer and inner folds.
        level: Nominal coverage of the intervals.
        seed: Which families come together in a fold, and the shuffles.
    """

    method: Method
    folds: int
    level: float
    seed: int


@dataclass(frozen=True)
class HeldOut:
    """What was predicted for each model by a regression that has not seen its family.

    Attributes:
        predicted: The prediction.
        low: Lower end of its interval; NaN if only predictions were asked for.
        high: Upper end; the same.
        fold: The fold in which the model's family was held out.
        importance: By how much the mean absolute error of held-out models rises when a feature is
            shuffled among them, in each fold; 0 if only predictions were asked for.
    """

    predicted: Float[np.ndarray, " n"]
    low: Float[np.ndarray, " n"]
    high: Float[np.ndarray, " n"]
    fold: Int[np.ndarray, " n"]
    importance: Float[np.ndarray, "folds features"]


@dataclass
class _Setting:
    """A setting on the training families: what was fitted in each inner fold, and left out."""

    setting: float
    fold: Int[np.ndarray, " train"]
    residuals: Float[np.ndarray, " train"]
    fitted: list[Any] = field(default_factory=list)


def hold_out(
    features: Float[np.ndarray, "n features"],
    truth: Float[np.ndarray, " n"],
    families: Int[np.ndarray, " n"],
    settings: Settings,
    *,
    only_predictions: bool = False,
) -> HeldOut:
    """Predict each model from models of other families.

    In each fold, some families are put aside. Among the others the setting is chosen by another
    cross-validation, again by family: the one of least mean absolute error. Its residuals give the
    intervals, see `cv_plus_intervals`; fitted to all training families it gives the predictions.

    Args:
        features: One column per feature; NaN where missing.
        truth: The accuracy.
        families: Family of each model, numbered.
        settings: How.
        only_predictions: Whether to leave out intervals and importance.
    """
    n, folds = len(truth), settings.folds
    found = HeldOut(
        predicted=np.empty(n),
        low=np.full(n, math.nan),
        high=np.full(n, math.nan),
        fold=np.empty(n, np.intp),
        importance=np.zeros((folds, features.shape[1])),
    )
    splits = _splits(families, settings)

    def fill(place: int) -> None:
        train, test = splits[place]
        x, y = features[train], truth[train]
        of_train = np.unique(families[train], return_inverse=True)[1]
        best = _best_setting(x, y, of_train, settings)
        prepared = settings.method.prepare(*x.shape).fit(x, y)
        regressor = settings.method.regress(best.setting, len(train))
        regressor.fit(prepared.transform(x), y)
        held_out = prepared.transform(features[test])
        found.fold[test], found.predicted[test] = place, regressor.predict(held_out)
        if only_predictions:
            return
        by_fold = np.stack([inner.predict(features[test]) for inner in best.fitted])
        found.low[test], found.high[test] = cv_plus_intervals(
            by_fold[best.fold], best.residuals, of_train, settings.level
        )
        found.importance[place] = importance_of_each(
            *(regressor.predict, held_out, truth[test]),
            behind=features_behind(prepared, held_out.shape[1]),
            n_features=x.shape[1],
            shuffles=_SHUFFLES,
            seed=settings.seed,
        )

    # scikit-learn lets other threads run while it fits; each thread has one core.
    with threadpool_limits(1), ThreadPoolExecutor(joblib.cpu_count()) as threads:
        list(threads.map(fill, range(folds)))
    return found


def _best_setting(
    x: Float[np.ndarray, "train features"],
    y: Float[np.ndarray, " train"],
    families: Int[np.ndarray, " train"],
    settings: Settings,
) -> _Setting:
    """The setting of least mean absolute error in a cross-validation by family."""
    method = settings.method
    tried = [_Setting(s, np.empty(len(y), np.intp), np.empty(len(y))) for s in method.settings]
    for place, (train, test) in enumerate(_splits(families, settings)):
        prepared = method.prepare(len(train), x.shape[1]).fit(x[train], y[train])
        features, held_out = prepared.transform(x[train]), prepared.transform(x[test])
        for one in tried:
            regressor = method.regress(one.setting, len(train)).fit(features, y[train])
            one.fold[test] = place
            one.residuals[test] = np.abs(y[test] - regressor.predict(held_out))
            one.fitted.append(make_pipeline(prepared, regressor))
    return min(tried, key=lambda one: one.residuals.mean())


def _splits(
    families: Int[np.ndarray, " n"], settings: Settings
) -> list[tuple[Int[np.ndarray, " train"], Int[np.ndarray, " test"]]]:
    split = GroupKFold(settings.folds, shuffle=True, random_state=settings.seed)
    return list(split.split(families[:, None], groups=families))
