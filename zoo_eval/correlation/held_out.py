"""Nested cross-validation with whole families held out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from zoo_eval.correlation.conformal import cv_plus_intervals
from zoo_eval.correlation.predictor_methods import Method, features_behind
from zoo_eval.correlation.shuffled import importance_of_each

_AT_ONCE = 200  # models that get their intervals together: each takes all it was trained on
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


@dataclass(frozen=True)
class _Fitted:
    """A regression with what comes before it."""

    prepared: Pipeline
    regressor: Any

    def predict(self, features: Float[np.ndarray, "n features"]) -> Float[np.ndarray, " n"]:
        return self.regressor.predict(self.prepared.transform(features))


@dataclass
class _Setting:
    """A setting on the training families: what was fitted in each inner fold, and left out."""

    setting: float
    fold: Int[np.ndarray, " train"]
    residuals: Float[np.ndarray, " train"]
    fitted: list[_Fitted] = field(default_factory=list)


@dataclass(frozen=True)
class Fold:
    """What came out where one fold was put aside; fields as in `HeldOut`."""

    test: Int[np.ndarray, " test"]
    predicted: Float[np.ndarray, " test"]
    low: Float[np.ndarray, " test"] | float = math.nan
    high: Float[np.ndarray, " test"] | float = math.nan
    importance: Float[np.ndarray, " features"] | float = 0.0


def hold_out(
    features: Float[np.ndarray, "n features"],
    truth: Float[np.ndarray, " n"],
    families: Int[np.ndarray, " n"],
    settings: Settings,
    place: int,
    only_predictions: bool = False,
) -> Fold:
    """Predict the models of one fold from models of other families; needs no other fold.

    Some families are put aside. Among the others the setting is chosen by another
    cross-validation, again by family: the one of least mean absolute error. Its residuals give the
    intervals, see `cv_plus_intervals`; fitted to all training families it gives the predictions.

    Args:
        features: One column per feature; NaN where missing.
        truth: The accuracy.
        families: Family of each model, numbered.
        settings: How.
        place: Which of the folds.
        only_predictions: Whether to leave out intervals and importance.
    """
    # Of a small regression on several cores these would do little but wait for each other.
    with threadpool_limits(1):
        train, test = _splits(families, settings)[place]
        x, y = features[train], truth[train]
        of_train = np.unique(families[train], return_inverse=True)[1]
        best = _best_setting(x, y, of_train, settings)
        prepared = settings.method.prepare(*x.shape)
        (regressor,) = settings.method.regress(prepared.fit_transform(x, y), y, [best.setting])
        held_out = prepared.transform(features[test])
        predicted = regressor.predict(held_out)
        if only_predictions:
            return Fold(test, predicted)
        by_fold = np.stack([inner.predict(features[test]) for inner in best.fitted])
        ends = [
            cv_plus_intervals(some[best.fold], best.residuals, of_train, settings.level)
            for some in np.array_split(by_fold, -(-len(test) // _AT_ONCE), axis=1)
        ]
        low, high = np.concatenate(ends, axis=1)
        importance = importance_of_each(
            *(regressor.predict, held_out, truth[test]),
            behind=features_behind(prepared, held_out.shape[1]),
            n_features=x.shape[1],
            shuffles=_SHUFFLES,
            seed=settings.seed,
        )
        return Fold(test, predicted, low, high, importance)


def put_together(folds: Sequence[Fold], n: int, n_features: int) -> HeldOut:
    """The folds as one.

    Args:
        folds: In their order.
        n: Models.
        n_features: Features.
    """
    found = HeldOut(
        predicted=np.empty(n),
        low=np.empty(n),
        high=np.empty(n),
        fold=np.empty(n, np.intp),
        importance=np.empty((len(folds), n_features)),
    )
    for place, fold in enumerate(folds):
        found.fold[fold.test], found.predicted[fold.test] = place, fold.predicted
        found.low[fold.test], found.high[fold.test] = fold.low, fold.high
        found.importance[place] = fold.importance
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
        prepared = method.prepare(len(train), x.shape[1])
        features = prepared.fit_transform(x[train], y[train])
        held_out = prepared.transform(x[test])
        regressors = method.regress(features, y[train], method.settings)
        for one, regressor in zip(tried, regressors, strict=True):
            one.fold[test] = place
            one.residuals[test] = np.abs(y[test] - regressor.predict(held_out))
            one.fitted.append(_Fitted(prepared, regressor))
    return min(tried, key=lambda one: one.residuals.mean())


def _splits(
    families: Int[np.ndarray, " n"], settings: Settings
) -> list[tuple[Int[np.ndarray, " train"], Int[np.ndarray, " test"]]]:
    split = GroupKFold(settings.folds, shuffle=True, random_state=settings.seed)
    return list(split.split(families[:, None], groups=families))
