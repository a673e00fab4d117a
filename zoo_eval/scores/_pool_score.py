"""The `@pool_score` decorator: a score that compares a model with the others of its pool."""

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from zoo_eval.errors import InputError
from zoo_eval.quantities import needs_of
from zoo_eval.scores._docstring import references, summary

PoolFunction = Callable[..., np.ndarray]


class PoolScore:
    """A score of a model relative to a pool of models, computed from other scores.

    Ranks and min-max scaling change whenever a model joins the pool, so such a value is never
    stored: reports compute it from the stored parts, over the models that have all of them. Its
    function takes one array per part, one entry per model of the pool, without gaps; the
    parameters' names are the names of the scores that are the parts. It returns one value per
    model.

    Attributes:
        name: Name of the function.
        group: Folder that the score lives in.
        unit: Unit of the value.
        higher_is_better: The literature's claim; None where it makes none.
        bounds: Smallest and largest possible value.
        parts: Names of the scores that it is made of.
    """

    def __init__(
        self,
        function: PoolFunction,
        unit: str,
        higher_is_better: bool | None,
        bounds: tuple[float, float],
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.name = function.__name__
        self.group = function.__module__.rpartition(".")[0].rpartition(".")[2]
        self.unit = unit
        self.higher_is_better = higher_is_better
        self.bounds = bounds
        self.parts = needs_of(function)

    def __repr__(self) -> str:
        return f"<pool score {self.name}({', '.join(self.parts)})>"

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return summary(self.function)

    @property
    def references(self) -> list[str]:
        """Entries of the docstring's References, each on one line."""
        return references(self.function)

    def __call__(self, *arguments: ArrayLike, **named: ArrayLike) -> np.ndarray:
        """Values of all models of a pool; models that lack a part get NaN.

        Args:
            *arguments: The parts in their order, one value per model.
            **named: The parts by name.

        Raises:
            InputError: a part is missing or unknown, the parts are not equally long, or the
                function does not return one value per model.
        """
        given = {**dict(zip(self.parts, arguments, strict=False)), **named}
        if given.keys() != set(self.parts) or len(arguments) > len(self.parts):
            seen = ", ".join(given) or "nothing"
            raise InputError(f"{self.name} needs {', '.join(self.parts)}, but was given {seen}.")
        columns = [np.asarray(given[part], dtype=np.float64) for part in self.parts]
        shapes = {part: column.shape for part, column in zip(self.parts, columns, strict=True)}
        if len(set(shapes.values())) != 1 or columns[0].ndim != 1:
            seen = ", ".join(f"{part} {shape}" for part, shape in shapes.items())
            raise InputError(f"{self.name} needs one value per model in each part, but got {seen}.")
        complete = np.logical_and.reduce(np.isfinite(columns))
        values = np.full(len(complete), math.nan)
        if complete.any():
            result = np.asarray(self.function(*(column[complete] for column in columns)))
            if result.shape != (complete.sum(),):  # assigning it would spread it over all models
                raise InputError(
                    f"{self.name} must return one value for each of {complete.sum()} models, but "
                    f"returned an array of shape {result.shape}."
                )
            values[complete] = result
        return values


def pool_score(
    *,
    unit: str,
    higher_is_better: bool | None,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Callable[[PoolFunction], PoolScore]:
    """Declare what a reader must know about a pool score; see `PoolScore`."""

    def wrap(function: PoolFunction) -> PoolScore:
        return PoolScore(function, unit, higher_is_better, bounds)

    return wrap
