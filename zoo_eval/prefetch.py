"""Gives out units whose weights are on this machine, and downloads the next ones meanwhile."""

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from zoo_eval.errors import BudgetError, WeightsError
from zoo_eval.models.published.cache import WeightsCache
from zoo_eval.plan import Unit

ROOM_S = 1.0  # between looks whether another process has made room


@dataclass(frozen=True)
class Ready:
    """A unit to be worked on, or one that cannot be: its weights are not to be had."""

    unit: Unit
    error: WeightsError | None = None


class Prefetch:
    """The units in their order, as far as possible: those that wait for a download are overtaken.

    A thread downloads; leaving the `with` block ends it at once and drops a half download.
    `ready`, `put` and `done` may be called from any thread.

    Args:
        units: The work.
        cache: Where weights come from. It is closed at the end of the `with` block.
        ahead: Units that may lie ready; more downloads are not begun before some are taken.
    """

    def __init__(self, units: Iterable[Unit], cache: WeightsCache, ahead: int) -> None:
        self._units, self._cache, self._ahead = iter(units), cache, max(1, ahead)
        self._ended = False  # whether `units` is
        self._to_fetch: deque[Unit] = deque()
        self._fetching = 0
        self._ready: deque[Ready] = deque()
        self._held: dict[tuple[str, str, int], Path] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._broken: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)

    def __enter__(self) -> "Prefetch":
        self._cache.trim()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._cache.stop()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        self._cache.close()

    @property
    def exhausted(self) -> bool:
        """Whether every unit was given out. `put` can make it false again."""
        with self._changed:
            self._sort_next(1)
            return self._ended and not (self._ready or self._to_fetch or self._fetching)

    def ready(self, timeout: float | None = None) -> Ready | None:
        """The next unit that can be worked on, or is found to be impossible.

        Args:
            timeout: Seconds to wait for a download; None: as long as it takes.

        Returns:
            None if the time is over, no unit is left, or the `with` block has ended.
        """
        with self._changed:
            self._changed.wait_for(self._has_news, timeout)
            if self._broken is not None:
                raise self._broken
            if self._closed or not self._ready:
                return None
            self._changed.notify_all()
            return self._ready.popleft()

    def put(self, unit: Unit) -> None:
        """Take a unit back, to be given out once more; as the last of those known so far."""
        self.done(unit)
        with self._changed:
            self._sort(unit)
            self._changed.notify_all()

    def done(self, unit: Unit) -> None:
        """Release the weights of a unit that was given out."""
        with self._changed:
            path = self._held.pop(_name(unit), None)
            if path is not None:
                self._cache.release(path)
                self._changed.notify_all()

    def _has_news(self) -> bool:
        self._sort_next(1)
        left = self._to_fetch or self._fetching
        return bool(self._ready or self._broken or self._closed or not left)

    def _sort_next(self, n_ready: int) -> None:
        """Sort further units until so many are ready."""
        while len(self._ready) < n_ready and not self._ended:
            unit = next(self._units, None)
            if unit is None:
                self._ended = True
            else:
                self._sort(unit)

    def _sort(self, unit: Unit) -> None:
        """To those that are ready, or to those that need a download."""
        if unit.weights != "pretrained" or unit.line.weights_file is not None:
            self._ready.append(Ready(unit))
            return
        try:
            path = self._cache.hold_if_here(unit.line)
        except WeightsError as error:
            self._ready.append(Ready(unit, error))
            return
        if path is None:
            self._to_fetch.append(unit)
        else:
            self._held[_name(unit)] = path
            self._ready.append(Ready(unit))

    def _run(self) -> None:
        try:
            while (unit := self._next_to_fetch()) is not None:
                self._fetch(unit)
        except BaseException as error:  # whatever it is, `ready` must not wait for ever
            with self._changed:
                self._broken = error
                self._changed.notify_all()

    def _next_to_fetch(self) -> Unit | None:
        with self._changed:
            while not self._closed:
                if len(self._ready) < self._ahead:
                    if not self._to_fetch:
                        self._sort_next(self._ahead)
                        self._changed.notify_all()
                    if self._to_fetch:
                        self._fetching = 1
                        return self._to_fetch.popleft()
                self._changed.wait()
        return None

    def _fetch(self, unit: Unit) -> None:
        path, error = None, None
        while path is None and error is None:
            try:
                path = self._cache.hold(unit.line)
            except BudgetError as full:
                with self._changed:
                    if self._closed:
                        error = full
                    else:  # until a unit is done here, or in another process
                        self._changed.wait(ROOM_S)
            except WeightsError as failed:
                error = failed
        with self._changed:
            if path is not None:
                self._held[_name(unit)] = path
            self._fetching = 0
            if not self._closed:
                self._ready.append(Ready(unit, error))
            self._changed.notify_all()


def _name(unit: Unit) -> tuple[str, str, int]:
    return unit.line.model, unit.weights, unit.seed
