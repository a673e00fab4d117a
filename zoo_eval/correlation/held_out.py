"""Nested cross-validation with whole families held out."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from zoo_eval.correlation.conformal import cv_plus_intervals
from zoo_eval.correlation.predictor_methods import Method
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
        low: Lower end of its interval.
        high: Upper end.
        fold: The fold in which the model's family was held out.
        importance: By how much the mean absolute error of held-out models rises when a feature is
            shuffled among them, in each fold; empty if it was not asked for.
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
    importance: bool,
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
        importance: Whether to compute it.
    """
    n, method = len(truth), settings.method
    predicted, low, high = np.empty(n), np.empty(n), np.empty(n)
    fold = np.empty(n, np.intp)
    importances: list[Float[np.ndarray, " features"]] = []
    for place, (train, test) in enumerate(_splits(families, settings)):
        x, y = features[train], truth[train]
        of_train = np.unique(families[train], return_inverse=True)[1]
        best = _best_setting(x, y, of_train, settings)
        prepared = method.prepare(len(train)).fit(x)
        regressor = method.regress(best.setting, len(train)).fit(prepared.transform(x), y)
        fitted = make_pipeline(prepared, regressor)
        fold[test], predicted[test] = place, fitted.predict(features[test])
        by_fold = np.stack([inner.predict(features[test]) for inner in best.fitted])
        low[test], high[test] = cv_plus_intervals(
            by_fold[best.fold], best.residuals, of_train, settings.level
        )
        if importance:
            importances.append(
                importance_of_each(
                    fitted.predict, features[test], truth[test], _SHUFFLES, settings.seed
                )
            )
    rises = np.array(importances).reshape(-1, features.shape[1])
    return HeldOut(predicted, low, high, fold, rises)


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
        prepared = method.prepare(len(train)).fit(x[train])
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
