"""The score library: `SCORES` maps each name to its score; each is callable by keyword.

Every module below this package that defines a score with `@score` is found by walking the
package; installed packages add theirs through the entry-point group `zoo_eval.scores`.
"""

import importlib
import pkgutil
from importlib.metadata import entry_points
from types import ModuleType

from zoo_eval.errors import InputError
from zoo_eval.scores._score import INITIAL, TRAINED, OptionValue, Score, score

__all__ = ["INITIAL", "SCORES", "TRAINED", "OptionValue", "Score", "score"]

SCORES: dict[str, Score] = {}


def _add(found: Score) -> None:
    if SCORES.get(found.name, found) is not found:
        raise InputError(
            f"There are two scores called {found.name!r}, in {SCORES[found.name].__module__} and "
            f"{found.__module__}; a score's name must be its own."
        )
    found.givens()  # an unknown need is an error now, not an hour into a run
    SCORES[found.name] = found


def _add_all(module: ModuleType) -> None:
    for value in vars(module).values():
        if isinstance(value, Score) and value.__module__ == module.__name__:
            _add(value)


def _discover() -> None:
    for found in pkgutil.walk_packages(__path__, prefix=f"{__name__}."):
        _add_all(importlib.import_module(found.name))
    for entry_point in entry_points(group="zoo_eval.scores"):
        loaded = entry_point.load()
        if isinstance(loaded, ModuleType):
            _add_all(loaded)
        elif isinstance(loaded, Score):
            _add(loaded)
        else:
            raise InputError(
                f"The entry point {entry_point.name!r} of group zoo_eval.scores names a "
                f"{type(loaded).__name__}; it must name a score or a module of scores."
            )


_discover()


def __getattr__(name: str) -> Score:
    try:
        return SCORES[name]
    except KeyError:
        raise AttributeError(f"There is no score called {name!r}.") from None
