"""What may predict accuracy from scores: a regularised additive model, and boosted trees."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import QuantileTransformer, SplineTransformer, StandardScaler

_MAX_QUANTILES = 200
_ALL = 10**9  # models, of which none is left out when quantiles are taken


@dataclass(frozen=True)
class Method:
    """A kind of regression.

    Attributes:
        prepare: From the number of models to fit, a scikit-learn transformer of the features.
        regress: From a setting and that number, a regressor.
        settings: What is tried; the inner cross-validation chooses.
    """

    prepare: Callable[[int], Any]
    regress: Callable[[float, int], Any]
    settings: tuple[float, ...]


def _without_gaps() -> SimpleImputer:
    """Missing values as the median, with a column that says so; zeros where all are missing."""
    return SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)


def _curves(n: int) -> Pipeline:
    """Each feature as its rank, from 0 to 1 among the training models, and curves over that.

    Scores have heavy tails and many units; their ranks have not. Accuracy levels off with size and
    with most scores, so that a line would not do: a quadratic spline bends.
    """
    ranks = QuantileTransformer(n_quantiles=min(n, _MAX_QUANTILES), subsample=_ALL)
    curves = SplineTransformer(n_knots=4, degree=2)
    return make_pipeline(_without_gaps(), ranks, curves, StandardScaler())


def _as_they_are(n: int) -> SimpleImputer:
    """Trees see only the order of a feature."""
    return _without_gaps()


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
