"""What else could rank the networks: one score on all images, another program's, or chance."""

import importlib
import importlib.util
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType

import numpy as np

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import SCORES

Values = dict[str, float]


def by_score(
    name: str, options: Mapping[str, int], rows: Mapping[str, np.ndarray], labels: np.ndarray
) -> Values:
    """Values of one of our scores; the worst where it has none."""
    values: Values = {}
    for model, embeddings in rows.items():
        try:
            values[model] = float(SCORES[name](embeddings=embeddings, labels=labels, **options))
        except ScoreUndefinedError:
            values[model] = -np.inf
    return values


def by_transformer_ranker(name: str, rows: Mapping[str, np.ndarray], labels: np.ndarray) -> Values:
    """`LogME` or `HScore` of transformer-ranker, on the same embeddings."""
    import torch

    estimator = getattr(_estimator(name.lower()), name)
    targets = torch.from_numpy(np.asarray(labels))
    values: Values = {}
    for model, embeddings in rows.items():
        with warnings.catch_warnings(action="ignore"):
            found = float(estimator().fit(torch.from_numpy(embeddings.astype(np.float64)), targets))
        values[model] = found if np.isfinite(found) else -np.inf
    return values


def _estimator(module: str) -> ModuleType:
    """One of its modules alone: the packages above would import transformers and more."""
    for package in ("transformer_ranker", "transformer_ranker.estimators"):
        if package not in sys.modules:
            found = importlib.util.find_spec(package)
            assert found is not None, "pip install --no-deps transformer-ranker"
            sys.modules[package] = importlib.util.module_from_spec(found)  # not executed
    return importlib.import_module(f"transformer_ranker.estimators.{module}")


def by_chance(seed: int, models: Iterable[str]) -> Values:
    """Any order."""
    names = sorted(models)
    return dict(zip(names, np.random.default_rng([seed, 1]).random(len(names)), strict=True))


def timed(compute: Callable[[], Values]) -> tuple[Values, float]:
    """Values and the seconds that they took."""
    start = time.perf_counter()
    values = compute()
    return values, time.perf_counter() - start
