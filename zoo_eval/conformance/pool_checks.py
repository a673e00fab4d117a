"""Checks of pool scores: pools of models in which ranks and scalings go wrong."""

import math
import warnings
from collections.abc import Callable

import numpy as np

from zoo_eval.conformance.check import Check, Options, Violation
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores import SCORES, PoolScore

Pool = dict[str, np.ndarray]

_SAME = 1e-9  # sums over the pool are taken in another order


def _ordinary(score: PoolScore) -> Pool:
    """Nine models with different values."""
    rng = np.random.default_rng(0)
    return {part: _within(score, part, rng.uniform(0.1, 0.9, 9)) for part in score.parts}


def _monotone(score: PoolScore) -> Pool:
    """Each model is above the one before in every part."""
    return {part: _within(score, part, np.linspace(0.1, 0.9, 9)) for part in score.parts}


def _opposed(score: PoolScore) -> Pool:
    """Every other part falls where the others rise."""
    rising = np.linspace(0.1, 0.9, 9)
    return {
        part: _within(score, part, rising[::-1] if place % 2 else rising)
        for place, part in enumerate(score.parts)
    }


def _ties(score: PoolScore) -> Pool:
    """Most models share their values."""
    levels = np.array([0.2, 0.2, 0.2, 0.2, 0.7, 0.7])
    return {part: _within(score, part, levels) for part in score.parts}


def _all_equal(score: PoolScore) -> Pool:
    """All models are equal."""
    return {part: _within(score, part, np.full(6, 0.4)) for part in score.parts}


def _outlier(score: PoolScore) -> Pool:
    """One model is far from the others in every part."""
    levels = np.array([0.4, 0.41, 0.42, 0.43, 1 - 1e-9])
    return {part: _within(score, part, levels) for part in score.parts}


def _two_models(score: PoolScore) -> Pool:
    """Two models."""
    return {part: _within(score, part, np.array([0.2, 0.8])) for part in score.parts}


def _one_model(score: PoolScore) -> Pool:
    """One model."""
    return {part: _within(score, part, np.array([0.3])) for part in score.parts}


POOLS: dict[str, Callable[[PoolScore], Pool]] = {
    make.__name__.removeprefix("_"): make
    for make in (
        *(_ordinary, _monotone, _opposed, _ties, _all_equal, _outlier, _two_models, _one_model),
    )
}


def _within(score: PoolScore, part: str, levels: np.ndarray) -> np.ndarray:
    """Levels in (0, 1) as values within the part's bounds."""
    low, high = SCORES[part].bounds
    if math.isfinite(low) and math.isfinite(high):
        return low + levels * (high - low)
    odds = levels / (1 - levels)
    if math.isfinite(low):
        return low + odds
    return high - 1 / odds if math.isfinite(high) else np.log(odds)


def _values(score: PoolScore, pool: Pool) -> np.ndarray | str:
    """One value per model, or the reason why there are none."""
    try:
        with warnings.catch_warnings(), np.errstate(divide="warn", over="warn", invalid="warn"):
            warnings.simplefilter("error")
            values = np.asarray(score(**pool))
    except ScoreUndefinedError as error:
        return str(error)
    except Warning as warning:
        raise Violation(f"warned {type(warning).__name__}: {warning}") from warning
    except Exception as error:
        raise Violation(f"raised {type(error).__name__}: {error}") from error
    low, high = score.bounds
    bad = ~np.isnan(values) & ~((values >= low - _SAME) & (values <= high + _SAME))
    if bad.any() or np.isinf(values).any():
        raise Violation(f"returned {values.tolist()}, but its bounds are {low} to {high}")
    return values


def _case(make: Callable[[PoolScore], Pool]) -> Callable[[PoolScore, Options], str]:
    def run(score: PoolScore, _: Options) -> str:
        values = _values(score, make(score))
        return f"undefined: {values}" if isinstance(values, str) else _listed(values)

    return run


def _listed(values: np.ndarray) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


def _of_ordinary(score: PoolScore, pool: Pool) -> np.ndarray:
    values = _values(score, pool)
    if isinstance(values, str):
        raise Violation(f"undefined: {values}")
    return values


def _has_values(score: PoolScore, _: Options) -> str:
    values = _of_ordinary(score, _ordinary(score))
    if np.isnan(values).any():
        raise Violation(f"returned {_listed(values)}")
    return _listed(values)


def _order(score: PoolScore, _: Options) -> str:
    pool = _ordinary(score)
    order = np.random.default_rng(1).permutation(len(pool[score.parts[0]]))
    before = _of_ordinary(score, pool)[order]
    after = _of_ordinary(score, {part: values[order] for part, values in pool.items()})
    if not np.allclose(before, after, rtol=_SAME, atol=_SAME, equal_nan=True):
        raise Violation(f"{_listed(before)} became {_listed(after)}")
    return "each model keeps its value"


def _gap(score: PoolScore, _: Options) -> str:
    pool = _ordinary(score)
    for part in score.parts:
        holed = {name: values.copy() for name, values in pool.items()}
        holed[part][2] = math.nan
        values = _of_ordinary(score, holed)
        rest = _of_ordinary(score, {name: np.delete(v, 2) for name, v in pool.items()})
        if not math.isnan(values[2]):
            raise Violation(f"{values[2]} for a model without {part}")
        if not np.allclose(np.delete(values, 2), rest, rtol=_SAME, atol=_SAME, equal_nan=True):
            raise Violation(f"a model without {part} changes the others' values")
    return "NaN, and the others as if it were not there"


_PROMISE = "values within bounds, NaN or ScoreUndefinedError; no warning"
CHECKS: tuple[Check[PoolScore], ...] = (
    *(
        Check(f"pools.{name}", f"{(make.__doc__ or '').rstrip('.')}: {_PROMISE}", _case(make), name)
        for name, make in POOLS.items()
    ),
    Check("pools.has_values", "in an ordinary pool every model has a value", _has_values),
    Check("pools.order", "another order of the models gives the same values", _order),
    Check("pools.missing_part", "a model that lacks a part gets NaN, the others stay", _gap),
)
