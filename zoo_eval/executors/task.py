"""What an executor is given and gives back, and what it may spend on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from zoo_eval.plan import Unit, digest_of
from zoo_eval.relief import LADDER, Relief
from zoo_eval.store import Attempt, Outcome


@dataclass(frozen=True, eq=False)
class Task:
    """One try at a unit."""

    unit: Unit
    relief: Relief = LADDER[0]


@dataclass(frozen=True)
class Limits:
    """What a worker may take.

    Attributes:
        time_s: Seconds for one network; None: as many as it takes.
        memory: Bytes of a worker; None: what the machine has, shared.
        networks: How many one worker process evaluates before a fresh one takes its place.
    """

    time_s: float | None = 3600.0
    memory: int | None = None
    networks: int = 500


@runtime_checkable
class Executor(Protocol):
    """Does tasks elsewhere, several at a time."""

    @property
    def room(self) -> int:
        """How many more tasks can be submitted now."""
        ...

    @property
    def busy(self) -> bool:
        """Whether a task is not finished yet."""
        ...

    def submit(self, task: Task) -> None:
        """Begin a task, or let it wait for the next free worker."""
        ...

    def finished(self, timeout_s: float) -> Sequence[tuple[Task, Outcome]]:
        """Tasks that ended since the last call; waits for one at most so long."""
        ...


def failed_outcome(
    task: Task,
    started: datetime,
    seconds: float,
    kind: str,
    error_type: str,
    message: str,
    during: str | None = None,
) -> Outcome:
    """The outcome of a task whose worker could not give one itself."""
    unit = task.unit
    attempt = Attempt(
        model=unit.line.model,
        weights=unit.weights,
        seed=unit.seed,
        started=started,
        seconds=seconds,
        outcome=kind,
        error_type=error_type,
        message=message,
        relief=str(task.relief) or None,
        missing=digest_of(unit.keys),
    )
    return Outcome(attempt, during=during)
