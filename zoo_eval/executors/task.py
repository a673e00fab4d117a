"""What an executor is given and gives back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from zoo_eval.executors.process import Loss
from zoo_eval.plan import Unit, digest_of
from zoo_eval.relief import LADDER, Relief
from zoo_eval.store import Attempt, Outcome


@dataclass(frozen=True, eq=False)
class Task:
    """One try at a unit."""

    unit: Unit
    relief: Relief = LADDER[0]


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


def failed_outcome(task: Task, loss: Loss) -> Outcome:
    """The outcome of a task whose worker could not give one itself."""
    unit = task.unit
    attempt = Attempt(
        model=unit.line.model,
        weights=unit.weights,
        seed=unit.seed,
        started=loss.started,
        seconds=loss.seconds,
        outcome=loss.kind,
        error_type=loss.error_type,
        message=loss.message,
        relief=str(task.relief) or None,
        missing=digest_of(unit.keys),
    )
    return Outcome(attempt, during=loss.during)
