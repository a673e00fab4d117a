"""The score library: `SCORES` maps each name to its score; each is callable by keyword.

`POOL_SCORES` has those that compare a model with the others of its pool; they are computed from
other scores when a report is made.

Every module below this package that defines a score with `@score` is found by walking the
package, and read, not imported: see `zoo_eval.declarations`. Installed packages add theirs through
the entry-point group `zoo_eval.scores`; these are imported.
"""

import pkgutil
from types import ModuleType

from zoo_eval.declarations import declarations
from zoo_eval.errors import InputError
from zoo_eval.plugins import plugins
from zoo_eval.scores._pool_score import PoolScore, pool_score
from zoo_eval.scores._score import INITIAL, TRAINED, Estimate, OptionValue, Score, score

__all__ = [
    "INITIAL",
    "POOL_SCORES",
    "SCORES",
    "TRAINED",
    "Estimate",
    "OptionValue",
    "PoolScore",
    "Score",
    "pool_score",
    "score",
]

SCORES: dict[str, Score] = {}
POOL_SCORES: dict[str, PoolScore] = {}


def _add(found: Score | PoolScore) -> None:
    namesake = {**SCORES, **POOL_SCORES}.get(found.name, found)
    if namesake is not found:
        raise InputError(
            f"There are two scores called {found.name!r}, in {namesake.__module__} and "
            f"{found.__module__}; a score's name must be its own."
        )
    if isinstance(found, PoolScore):
        POOL_SCORES[found.name] = found
    else:
        found.givens()  # an unknown need is an error now, not an hour into a run
        SCORES[found.name] = found


def _add_all(module: ModuleType) -> None:
    for value in vars(module).values():
        if isinstance(value, (Score, PoolScore)) and value.__module__ == module.__name__:
            _add(value)


def _discover() -> None:
    for found in pkgutil.walk_packages(__path__, prefix=f"{__name__}."):
        _add_all(declarations(found.name, registering=("score", "pool_score")))
    for entry_point, loaded in plugins("zoo_eval.scores"):
        if isinstance(loaded, ModuleType):
            _add_all(loaded)
        elif isinstance(loaded, (Score, PoolScore)):
            _add(loaded)
        else:
            raise InputError(
                f"The entry point {entry_point.name!r} of group zoo_eval.scores names a "
                f"{type(loaded).__name__}; it must name a score or a module of scores."
            )
    for pooled in POOL_SCORES.values():
        if missing := [part for part in pooled.parts if part not in SCORES]:
            raise InputError(
                f"{pooled.name} is made of {', '.join(pooled.parts)}, but there is no score "
                f"{missing[0]!r}."
            )


_discover()


def __getattr__(name: str) -> Score | PoolScore:
    found = SCORES.get(name) or POOL_SCORES.get(name)
    if found is None:
        raise AttributeError(f"There is no score called {name!r}.")
    return found
