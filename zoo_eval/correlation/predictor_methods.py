"""What may predict accuracy from scores: a regularised additive model, and boosted trees.

Of many features only the strongest are used, as found on the models that a regression is fitted
to: hundreds of scores repeat each other, and every one of them costs time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer, SplineTransformer, StandardScaler

from zoo_eval.correlation.prediction import MOST_FEATURES
from zoo_eval.correlation.spearman import centred_ranks

_MAX_QUANTILES = 200
_ALL = 10**9  # models, of which none is left out when quantiles are taken

_Columns = Float[np.ndarray, "n columns"]


@dataclass(frozen=True)
class Method:
    """A kind of regression.

    Attributes:
        prepare: From the numbers of models to fit and of features, what comes before the
            regression: each feature by itself, the imputer and the choice of features first.
        regress: From prepared features, accuracies and settings a fitted regressor for each.
        settings: What is tried; the inner cross-validation chooses.
    """

    prepare: Callable[[int, int], Pipeline]
    regress: Callable[[_Columns, Float[np.ndarray, " n"], Sequence[float]], Sequence[Any]]
    settings: tuple[float, ...]


def features_behind(prepared: Pipeline, n_columns: int) -> Int[np.ndarray, " columns"]:
    """The feature that each of the columns comes from that a fitted `prepare` gives."""
    imputer: Any = prepared[0]
    chosen: Any = prepared[1]
    features = np.append(np.arange(imputer.n_features_in_), imputer.indicator_.features_)
    kept = features[chosen.get_support()]
    return np.repeat(kept, n_columns // len(kept))


def _curves(n: int, n_features: int) -> Pipeline:
    """Each feature as its rank, from 0 to 1 among the training models, and curves over that.

    Scores have heavy tails and many units; their ranks have not. Accuracy levels off with size and
    with most scores, so that a line would not do: a quadratic spline bends.
    """
    ranks = QuantileTransformer(n_quantiles=min(n, _MAX_QUANTILES), subsample=_ALL)
    return make_pipeline(*_strongest(n_features), ranks, _Curves(), StandardScaler())


def _as_they_are(n: int, n_features: int) -> Pipeline:
    """Trees see only the order of a feature."""
    return make_pipeline(*_strongest(n_features))


def _strongest(n_features: int) -> tuple[SimpleImputer, SelectKBest]:
    """Missing values as the median, with a column that says so; zeros where all are missing."""
    without_gaps = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    at_most: Any = MOST_FEATURES if n_features > MOST_FEATURES else "all"
    return without_gaps, SelectKBest(_strength, k=at_most)


def _strength(
    features: Float[np.ndarray, "n features"], truth: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " features"]:
    """|ρ| of each feature and the accuracy; 0 for a constant."""
    ranks, of_truth = centred_ranks(np.ascontiguousarray(features.T)), centred_ranks(truth)
    norms = np.linalg.norm(ranks, axis=1) * np.linalg.norm(of_truth)
    return np.abs(ranks @ of_truth) / np.where(norms > 0, norms, 1)


class _Curves(TransformerMixin, BaseEstimator):
    """Quadratic splines over 0 to 1, the same for each feature; of all features in one call.

    A transformer that is fitted to the features goes through them one by one.
    """

    def fit(self, ranks: Float[np.ndarray, "n features"], truth: object = None) -> "_Curves":
        """Knots need no data."""
        del ranks, truth
        knots: Any = np.linspace(0, 1, 4)[:, None]
        self.splines_ = SplineTransformer(degree=2, knots=knots).fit(knots)
        return self

    def transform(self, ranks: Float[np.ndarray, "n features"]) -> _Columns:
        """The splines' values, feature by feature."""
        curves: Any = self.splines_.transform(ranks.reshape(-1, 1))
        return curves.reshape(len(ranks), -1)


def _ridges(
    columns: _Columns, truth: Float[np.ndarray, " n"], settings: Sequence[float]
) -> list[Ridge]:
    """Ridge regressions with such penalties, as one of as many targets: it multiplies once."""
    alike = np.tile(truth[:, None], len(settings))
    penalties: Any = np.array(settings)
    together: Any = Ridge(penalties).fit(columns, alike)
    found = [Ridge(setting) for setting in settings]
    for one, coefficients, intercept in zip(
        found, np.atleast_2d(together.coef_), np.atleast_1d(together.intercept_), strict=True
    ):
        one.coef_, one.intercept_ = coefficients, intercept
    return found


def _trees(
    columns: _Columns, truth: Float[np.ndarray, " n"], settings: Sequence[float]
) -> list[HistGradientBoostingRegressor]:
    """Boosted trees of so many leaves."""
    return [
        HistGradientBoostingRegressor(
            max_iter=100,
            max_leaf_nodes=int(leaves),
            min_samples_leaf=min(20, max(len(truth) // 20, 2)),
            random_state=0,
        ).fit(columns, truth)
        for leaves in settings
    ]


METHODS = {
    "ridge": Method(_curves, _ridges, (1.0, 10.0, 100.0, 1000.0)),
    "trees": Method(_as_they_are, _trees, (3.0, 12.0)),
}
