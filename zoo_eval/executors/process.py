"""A worker process: what it may take, what works in it, and how it can be lost.

Imports no more than that needs: on a cluster, a small process watches each worker.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


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


@dataclass(frozen=True)
class Loss:
    """Why there is no outcome of a task.

    Attributes:
        kind: As an attempt's `outcome`.
        error_type: Name of the exception.
        message: For people.
        during: What the worker did last, as it said.
        started: When the task was given away.
        seconds: Since then.
    """

    kind: str
    error_type: str
    message: str
    during: str | None
    started: datetime
    seconds: float


class Works(Protocol):
    """What works in a process of its own; `zoo_eval.executors.worker.Worker` is one."""

    def work(self, task: Any, doing: Callable[[str], None]) -> tuple[Any, int]:  # noqa: ANN401
        """The outcome of a task, and the bytes that its process has afterwards."""
        ...


# Called in the process, with its threads, how many workers share the machine, and the bytes that
# it may have.
WorkerMaker = Callable[[int, int, int | None], Works]
