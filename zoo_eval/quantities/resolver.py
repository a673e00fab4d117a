"""Computes what scores need: each quantity once, dropped after its last user."""

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from zoo_eval.declarations import itself
from zoo_eval.errors import InputError
from zoo_eval.quantities._quantity import GIVEN_DEFAULTS, GIVENS, QUANTITIES
from zoo_eval.quantities.graph import belongs_to_dataset, closure


@dataclass(frozen=True)
class Computed:
    """A quantity's value and the seconds that computing it took, its own needs excluded."""

    value: Any
    seconds: float


class Resolver:
    """Answers "what is the value of …" for givens and quantities.

    Args:
        givens: Values from outside. A quantity may be given too; then it is not computed.
        users: The needs of each score that will be computed, in any order. They tell when
            a quantity has had its last user and can be freed.
        shared: Where quantities of the dataset alone are kept from model to model.
    """

    def __init__(
        self,
        givens: Mapping[str, Any],
        users: Iterable[tuple[str, ...]],
        shared: MutableMapping[str, Computed] | None = None,
    ) -> None:
        self._givens = givens
        self._names = frozenset(givens)
        self._shared: MutableMapping[str, Computed] = {} if shared is None else shared
        self._computed: dict[str, Computed] = {}
        self._failed: dict[str, Exception] = {}
        self._users_left: Counter[str] = Counter()
        for needs in users:
            self._users_left.update(closure(needs, self._names))

    def get(self, name: str) -> Any:  # noqa: ANN401  # a given or quantity can be anything
        """The value of a given or a quantity."""
        if name in self._givens:
            return self._givens[name]
        return GIVEN_DEFAULTS[name] if name in GIVEN_DEFAULTS else self._compute(name).value

    def seconds(self, needs: Iterable[str]) -> float:
        """Seconds that the quantities behind these needs took, shared ones counted in full."""
        counted = (
            self._place(name)[name].seconds
            for name in closure(needs, self._names)
            if name not in self._givens and name in self._place(name)
        )
        return sum(counted, start=0.0)

    def release(self, needs: Iterable[str]) -> None:
        """Say that one user with these needs is done; free what nobody needs any more."""
        for name in closure(needs, self._names):
            self._users_left[name] -= 1
            if self._users_left[name] <= 0:
                self._computed.pop(name, None)

    def _place(self, name: str) -> MutableMapping[str, Computed]:
        return self._shared if belongs_to_dataset(name) else self._computed

    def _compute(self, name: str) -> Computed:
        if name in GIVENS:
            raise InputError(f"{name!r} ({GIVENS[name]}) is needed here, but was not given.")
        if name in self._failed:
            # Each of its users would else wait for the same failure again.
            raise self._failed[name]
        place = self._place(name)
        if name not in place:
            quantity = QUANTITIES[name]
            arguments = [self.get(need) for need in quantity.needs]
            try:
                value, seconds = timed(quantity.function, arguments, {})
            except Exception as error:
                # What it had at hand is not to be kept with it: it may be all there is of memory.
                traceback.clear_frames(error.__traceback__)
                self._failed[name] = error
                raise
            place[name] = Computed(value, seconds)
        return place[name]


def timed(
    function: Callable[..., Any], arguments: Iterable[Any], options: Mapping[str, Any]
) -> tuple[Any, float]:
    """Call a function; return its result and the seconds it took, imports excluded."""
    function = itself(function)
    start = time.perf_counter()
    return function(*arguments, **options), time.perf_counter() - start
