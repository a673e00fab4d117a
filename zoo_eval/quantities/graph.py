"""The graph of needs: what a score asks for, directly and through quantities."""

import difflib
from collections.abc import Iterable

from zoo_eval.errors import InputError
from zoo_eval.quantities._quantity import DATASET_GIVENS, GIVENS, QUANTITIES


def closure(needs: Iterable[str], given: frozenset[str] = frozenset()) -> frozenset[str]:
    """All givens and quantities that are reached from these needs.

    Args:
        needs: Names that are asked for.
        given: Names that are already at hand, so that the walk stops there.

    Raises:
        InputError: a name is unknown, or quantities need each other in a circle.
    """
    found: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            raise InputError(f"Quantities need each other in a circle: {circle}.")
        if name in found:
            return
        if name not in given and name not in GIVENS:
            if name not in QUANTITIES:
                raise InputError(unknown_name(name, path))
            for need in QUANTITIES[name].needs:
                walk(need, (*path, name))
        found.add(name)

    for need in needs:
        walk(need, ())
    return frozenset(found)


def belongs_to_dataset(name: str) -> bool:
    """Whether a given or quantity depends on the dataset alone, and on no model."""
    return (closure([name]) & GIVENS.keys()) <= DATASET_GIVENS


def unknown_name(name: str, path: tuple[str, ...]) -> str:
    """The error text for a name that is neither a given nor a quantity."""
    known = sorted(GIVENS.keys() | QUANTITIES.keys())
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
    asked_by = f", asked for by {path[-1]!r}," if path else ""
    return f"{name!r}{asked_by} is neither given nor a quantity. {hint}"
