"""What may predict accuracy from scores: a regularised additive model, and boosted trees.

Of many features only the strongest are used, as found on the models that a regression is fitted
to: hundreds of scores repeat each other, and every one of them costs time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer, SplineTransformer, StandardScaler

from zoo_eval.correlation.prediction import MOST_FEATURES

_MAX_QUANTILES = 200
_ALL = 10**9  # models, of which none is left out when quantiles are taken


@dataclass(frozen=True)
class Method:
    """A kind of regression.

    Attributes:
        prepare: From the numbers of models to fit and of features, what comes before the
            regression: each feature by itself, the imputer and the choice of features first.
        regress: From a setting and the number of models, a regressor.
        settings: What is tried; the inner cross-validation chooses.
    """

    prepare: Callable[[int, int], Pipeline]
    regress: Callable[[float, int], Any]
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
    curves = SplineTransformer(n_knots=4, degree=2)
    return make_pipeline(*_strongest(n_features), ranks, curves, StandardScaler())


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
    ranks = rankdata(np.column_stack([features, truth]), axis=0)
    ranks -= ranks.mean(axis=0)
    norms = np.linalg.norm(ranks, axis=0)
    products = np.abs(ranks[:, :-1].T @ ranks[:, -1])
    return products / np.where(norms[:-1] > 0, norms[:-1] * norms[-1], 1)


def _ridge(penalty: float, n: int) -> Ridge:
    return Ridge(penalty)


def _trees(leaves: float, n: int) -> HistGradientBoostingRegressor:
    return HistGradientBoostingRegressor(
        max_iter=100,
        max_leaf_nodes=int(leaves),
        min_samples_leaf=min(20, max(n // 20, 2)),
        random_state=0,
    )


METHODS = {
    "ridge": Method(_curves, _ridge, (1.0, 10.0, 100.0, 1000.0)),
    "trees": Method(_as_they_are, _trees, (3.0, 12.0)),
}
