"""Calls a score as a run does, and watches closely."""

import math
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo_eval.conformance.check import Options, Violation
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities import Resolver
from zoo_eval.scores import Estimate, Score

PROMISE = "a finite float within bounds, or ScoreUndefinedError with a reason; no warning"

_SLACK = 1e-9  # by which rounding may take a value past a bound, relative to the bound
_SHORTEST_REASON = 20  # characters; less cannot say what was needed and what was seen


@dataclass(frozen=True)
class Outcome:
    """A value, or the reason why there is none."""

    value: float | None
    reason: str = ""

    def __str__(self) -> str:
        return f"undefined: {self.reason}" if self.value is None else f"{self.value:.6g}"


def outcome(score: Score, givens: Mapping[str, Any], options: Options) -> Outcome:
    """Value of a score for these givens, or why it has none.

    The function is called by position with what the resolver has, as in a run.

    Raises:
        Violation: a warning, another exception, no float, NaN, infinite or out of bounds.
    """
    try:
        with _warnings_as_errors():
            result = compute(score, givens, options)
    except ScoreUndefinedError as error:
        if len(str(error)) < _SHORTEST_REASON:
            raise Violation(f"ScoreUndefinedError has no reason but {str(error)!r}") from error
        return Outcome(None, str(error))
    except Warning as warning:
        raise Violation(f"warned {_in_one_line(warning)}") from warning
    except Exception as error:
        raise Violation(f"raised {_in_one_line(error)}") from error
    return Outcome(_judged(score, result))


def compute(score: Score, givens: Mapping[str, Any], options: Options) -> Any:  # noqa: ANN401
    """What the function itself returns, be it NaN or no float at all."""
    resolver = Resolver(givens, [score.needs])
    arguments = [resolver.get(need) for need in score.needs]
    return score.function(*arguments, **score.with_defaults(options))


@contextmanager
def _warnings_as_errors() -> Generator[None, None, None]:
    with warnings.catch_warnings(), np.errstate(divide="warn", over="warn", invalid="warn"):
        warnings.simplefilter("error")
        # These are about the code of some package, not about the numbers.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        yield


def _judged(score: Score, result: object) -> float:
    if not isinstance(result, (float, int)) or isinstance(result, bool):
        kind = type(result).__name__
        raise Violation(f"returned a {kind}, where a float is needed: wrap it in float(…)")
    if not math.isfinite(result):
        raise Violation(f"returned {result}; raise ScoreUndefinedError and say why")
    low, high = score.bounds
    if result < low - _SLACK * max(1, abs(low)) or result > high + _SLACK * max(1, abs(high)):
        raise Violation(f"returned {result!r}, but its bounds are {low} to {high}")
    if isinstance(result, Estimate) and not result.low <= result <= result.high:
        raise Violation(
            f"returned {float(result)!r}, outside its own interval {result.low} to {result.high}"
        )
    return float(result)


def _in_one_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'without a message'}"
