"""The time of a race: how its rounds share it, and which networks still fit."""

import time
from collections.abc import Callable, Sequence

from zoo_eval.manifest import ModelLine
from zoo_eval.ranking.forecast import (
    Judging,
    Speed,
    Timed,
    corrected,
    first_judging,
    first_speed,
    judging_of,
    macs,
    that_fit,
)

# Of the budget, for the first round: the speed is not known yet, and later rounds need time too.
FIRST_SHARE = 0.6


class Budget:
    """What is left of the time, and what can be done with it.

    A round ends early enough for what it left to be judged. In the first one, networks begin as
    long as it lasts, and who is under way at its end is lost; in later ones only those begin that
    fit, as by then it is known how long they take.

    Args:
        seconds: That the race may take.
        workers: Worker processes.
        clock: Gives seconds, as `time.monotonic` does.
    """

    def __init__(
        self, seconds: float, workers: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock, self._workers = clock, workers
        self._started = clock()
        self._until = self._started + seconds
        self.speed: Speed = first_speed(workers)
        self._judging: Judging | None = None
        self._times: list[Timed] = []

    @property
    def spent(self) -> float:
        """Seconds since the race began."""
        return self._clock() - self._started

    @property
    def left(self) -> float:
        """Seconds until the race is to end."""
        return self._until - self._clock()

    def round_until(
        self, n_networks: int, n_images: int, n_classes: int, *, share: float = 1.0
    ) -> float:
        """When a round must end, so that its networks can be judged.

        Args:
            n_networks: In it.
            n_images: Of it.
            n_classes: Of these; 0 without labels, when judging takes no time.
            share: Of the time of the race that it may have at most.
        """
        seconds = self._until - self._started
        judging = 0.0
        if n_classes and self._judging is not None:
            judging = self._judging.seconds(n_networks, n_images)
        elif n_classes:  # a guess, which is not to use up the time
            guess = first_judging(n_classes).seconds(n_networks, n_images)
            judging = min(guess, share * seconds / 2)
        return min(self._until - judging, self._started + share * seconds)

    def that_fit(self, lines: Sequence[ModelLine], n_images: int, until: float) -> int:
        """How many of these networks, the first of them, can be evaluated until then."""
        left = until - self._clock()
        return len(that_fit(lines, self.speed, n_images, self._workers, left))

    def evaluated(self, line: ModelLine, n_images: int, seconds: float) -> None:
        """Learn how long a network took."""
        self._times.append(Timed(macs(line), n_images, seconds))

    def judged(self, n_networks: int, n_images: int, seconds: float) -> None:
        """Learn how long judging took, at the end of a round."""
        self._judging = judging_of(n_networks, n_images, seconds)
        self.speed = corrected(self.speed, self._times)
