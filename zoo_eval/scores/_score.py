"""The `@score` decorator: turns a function into a score that the whole program can use."""

import difflib
import functools
import importlib
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities import (
    GIVEN_DEFAULTS,
    GIVENS,
    QUANTITIES,
    Resolver,
    check_given,
    closure,
    needs_of,
    timed,
)
from zoo_eval.scores._docstring import references, summary

OptionValue = str | int | float | bool | None

_ONE_ROW_PER_IMAGE = (
    (
        *("embeddings", "logits", "source_probabilities", "squared_distances"),
        *("labels", "pixels", "image_clusters"),
    ),
    ("probe_images", "probe_labels"),
)

TRAINED = ("pretrained",)
INITIAL = ("init", "init-neutral")


class Estimate(float):
    """A score's value with an interval, for scores that are means over random draws.

    A score may return one in place of a plain float; it is a float wherever one is wanted.
    The interval says how far the value would move with other draws, at 95 %.

    >>> shots = Estimate(0.5, low=0.4, high=0.6)
    >>> shots + 0, shots.low, shots.high
    (0.5, 0.4, 0.6)
    """

    low: float
    high: float

    def __new__(cls, value: float, *, low: float, high: float) -> "Estimate":
        estimate = super().__new__(cls, value)
        estimate.low, estimate.high = float(low), float(high)
        return estimate


@dataclass(frozen=True)
class Measured:
    """A score's value, its interval if it has one, and what it would have cost alone."""

    value: float
    seconds: float
    low: float | None = None
    high: float | None = None


class Score:
    """A number computed from quantities or from a model, cheap, to be judged.

    Calling a score by keyword fills in what is missing: `dse(embeddings=Z)` computes the
    distances that `dse` asks for. Called by position it is the plain function.

    Attributes:
        name: Name of the function, also in tables and jobs.
        group: Folder that the score lives in: information, zero_cost, transfer, geometry, weights,
            robustness, initialisation.
        unit: Unit of the value.
        higher_is_better: The literature's claim, fixed beforehand; None where it makes none.
        bounds: Smallest and largest possible value.
        weights: Weights that the score is meant for; None if the values do not matter.
        cost: Passes over the images that the score takes.
        version: Raised whenever the number changes; older stored rows then stay beside it.
        needs: Givens and quantities, the positional parameters.
        options: Keyword-only parameters with their defaults.
    """

    def __init__(
        self,
        function: Callable[..., float],
        unit: str,
        higher_is_better: bool | None,
        bounds: tuple[float, float],
        weights: tuple[str, ...] | None,
        cost: str,
        version: int,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name = function.__name__
        self.group = function.__module__.rpartition(".")[0].rpartition(".")[2]
        self.unit = unit
        self.higher_is_better = higher_is_better
        self.bounds = bounds
        self.weights = weights
        self.cost = cost
        self.version = version
        self.needs = needs_of(function)
        self.options: dict[str, OptionValue] = {
            p.name: p.default
            for p in inspect.signature(function).parameters.values()
            if p.kind is p.KEYWORD_ONLY
        }

    def __repr__(self) -> str:
        return f"<score {self.name}({', '.join(self.needs)})>"

    def __reduce__(self) -> tuple[Callable[[str, str], "Score"], tuple[str, str]]:
        """A score travels to a worker process by name; the function itself cannot be pickled."""
        return _import_score, (self.function.__module__, self.name)

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return summary(self.function)

    @property
    def references(self) -> list[str]:
        """Entries of the docstring's References, each on one line."""
        return references(self.function)

    def givens(self) -> frozenset[str]:
        """Names of everything that must come from outside to compute this score."""
        return closure(self.needs) & (GIVENS.keys() - GIVEN_DEFAULTS.keys())

    def with_defaults(self, options: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """All options, defaults filled in.

        Raises:
            InputError: an option that this score does not have.
        """
        for option in options:
            if option not in self.options:
                near = difflib.get_close_matches(option, self.options, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                known = ", ".join(self.options) or "none"
                raise InputError(f"{self.name} has no option {option!r}; it has: {known}.{hint}")
        return {**self.options, **options}

    def measure(self, resolver: Resolver, options: Mapping[str, OptionValue]) -> Measured:
        """Compute the score with what the resolver has.

        Raises:
            ScoreUndefinedError: the score has no value here, or came out as NaN or infinite.
        """
        arguments = [resolver.get(need) for need in self.needs]
        result, seconds = timed(self.function, arguments, self.with_defaults(options))
        value = float(result)
        if not math.isfinite(value):
            raise ScoreUndefinedError(f"{self.name} came out as {value}.")
        seconds += resolver.seconds(self.needs)
        if isinstance(result, Estimate):
            return Measured(value, seconds, result.low, result.high)
        return Measured(value, seconds)

    def __call__(self, *arguments: object, **named: Any) -> float:  # noqa: ANN401
        """Compute the score by hand.

        Args:
            *arguments: What the function itself takes, in its order; nothing is filled in.
            **named: Givens, quantities and options by name; the rest is computed.
        """
        if arguments:
            return self.function(*arguments, **named)
        known = GIVENS.keys() | QUANTITIES.keys()
        givens = {name: check_given(name, named[name]) for name in named if name in known}
        _check_lengths(givens)
        options = self.with_defaults({n: v for n, v in named.items() if n not in known})
        measured = self.measure(Resolver(givens, [self.needs]), options)
        if measured.low is None or measured.high is None:
            return measured.value
        return Estimate(measured.value, low=measured.low, high=measured.high)


def _import_score(module: str, name: str) -> Score:
    """The one of the list, which imports its module when it is called; or whose that is."""
    from zoo_eval.scores import SCORES  # which imports this file

    listed = SCORES.get(name)
    if listed is not None and listed.__module__ == module:
        return listed
    return getattr(importlib.import_module(module), name)


def score(
    *,
    unit: str,
    higher_is_better: bool | None,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    weights: tuple[str, ...] | None = TRAINED,
    cost: str = "1 forward",
    version: int = 1,
) -> Callable[[Callable[..., float]], Score]:
    """Declare what a reader must know about a score; see `Score` for the meaning of each."""

    def wrap(function: Callable[..., float]) -> Score:
        return Score(function, unit, higher_is_better, bounds, weights, cost, version)

    return wrap


def _check_lengths(givens: Mapping[str, Any]) -> None:
    """Rows of arrays that belong to the same images must be equally many."""
    for group in _ONE_ROW_PER_IMAGE:
        lengths = {name: len(givens[name]) for name in group if name in givens}
        if len(set(lengths.values())) > 1:
            seen = ", ".join(f"{name} has {n} rows" for name, n in lengths.items())
            raise InputError(f"One row per image is needed in each array, but {seen}.")
