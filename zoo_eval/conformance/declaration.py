"""Checks of what a score says about itself."""

import inspect
import math
import re

from zoo_eval.conformance.check import Check, Options, Violation
from zoo_eval.errors import InputError
from zoo_eval.scores import INITIAL, SCORES, TRAINED, PoolScore, Score

_WEIGHTS = (*TRAINED, *INITIAL)


def _name(score: Score | PoolScore, _: Options) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]*", score.name):
        raise Violation(f"it is called {score.name!r}")
    return score.name


def _summary(score: Score | PoolScore, _: Options) -> str:
    if not score.summary.endswith((".", "?")):
        raise Violation(f"the docstring begins {score.summary!r}")
    return score.summary


def _references(score: Score | PoolScore, _: Options) -> str:
    found = score.references
    if not any(re.search(r"https?://\S", entry) for entry in found):
        raise Violation(f"the docstring's References are {'; '.join(found) or 'missing'}")
    return found[0]


def _unit(score: Score | PoolScore, _: Options) -> str:
    if not score.unit.strip():
        raise Violation(f"unit is {score.unit!r}")
    return score.unit


def _better(score: Score | PoolScore, _: Options) -> str:
    for claim, meaning in ((True, "higher"), (False, "lower"), (None, "not claimed")):
        if score.higher_is_better is claim:
            return meaning
    raise Violation(f"higher_is_better is {score.higher_is_better!r}")


def _bounds(score: Score | PoolScore, _: Options) -> str:
    low, high = score.bounds
    if math.isnan(low) or math.isnan(high) or not low < high:
        raise Violation(f"bounds are {low} and {high}")
    return f"{low} to {high}"


def _cost(score: Score, _: Options) -> str:
    if not score.cost.strip():
        raise Violation(f"cost is {score.cost!r}")
    return score.cost


def _weights(score: Score, _: Options) -> str:
    declared = score.weights
    if declared is not None and (not declared or not set(declared) <= set(_WEIGHTS)):
        raise Violation(f"weights are {declared!r}")
    return "any" if declared is None else ", ".join(declared)


def _version(score: Score, _: Options) -> str:
    if score.version < 1:
        raise Violation(f"version is {score.version!r}")
    return str(score.version)


def _needs(score: Score, _: Options) -> str:
    try:
        givens = score.givens()
    except InputError as error:
        raise Violation(str(error)) from error
    if not givens:
        raise Violation("the function has no positional parameter, so every model gets one value")
    return ", ".join(score.needs)


def _options(score: Score, _: Options) -> str:
    defaults: dict[str, object] = dict(score.options)
    for name, default in defaults.items():
        if default is inspect.Parameter.empty:
            raise Violation(f"the option {name!r} has no default")
        if not isinstance(default, (str, int, float, bool, type(None))):
            raise Violation(f"the option {name!r} is a {type(default).__name__}: {default!r}")
    return ", ".join(f"{name}={default!r}" for name, default in defaults.items()) or "none"


def _parts(score: PoolScore, _: Options) -> str:
    if not score.parts:
        raise Violation("the function has no positional parameter")
    for part in score.parts:
        if part not in SCORES:
            raise Violation(f"no installed score is called {part!r}")
    return ", ".join(score.parts)


_SHARED: tuple[Check[Score | PoolScore], ...] = (
    Check("declaration.name", "the name is in lower case, as in mean_cosine", _name),
    Check("declaration.summary", "the docstring begins with a sentence on one line", _summary),
    Check("declaration.references", "the docstring's References have a web address", _references),
    Check("declaration.unit", "the unit is named", _unit),
    Check("declaration.better", "higher_is_better is True, False or None", _better),
    Check("declaration.bounds", "the lower bound is below the upper one", _bounds),
)
NEEDS = Check("declaration.needs", "each positional parameter is a given or a quantity", _needs)
OF_SCORES: tuple[Check[Score], ...] = (
    *_SHARED,
    Check("declaration.cost", "the cost is named", _cost),
    Check("declaration.weights", f"weights are None or some of {', '.join(_WEIGHTS)}", _weights),
    Check("declaration.version", "the version is 1 or more", _version),
    NEEDS,
    Check("declaration.options", "each option has a default that a job file can hold", _options),
)
OF_POOL_SCORES: tuple[Check[PoolScore], ...] = (
    *_SHARED,
    Check("declaration.parts", "each positional parameter is an installed score", _parts),
)
