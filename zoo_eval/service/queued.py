"""A job of the queue, and what may become of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["queued", "running", "cancelling", "done", "failed", "cancelled", "interrupted"]
Kind = Literal["run", "retry", "rank"]
ENDED = ("done", "failed", "cancelled", "interrupted")


@dataclass(frozen=True)
class QueuedJob:
    """A job that was submitted, and what has become of it.

    Attributes:
        id: Its name in addresses, in its folder's name, and in the command that the store keeps.
        name: Of the job, and then its file's stem; or of the images to be ranked for.
        kind: `run`, `retry` or `rank`.
        toml: The job file's text; of a ranking its request, as JSON.
        options: More arguments of the command.
        submitted: UTC; as `started` and `ended`.
        started: When its process was started.
        ended: When that ended.
        state: Where it stands.
        pid: Its process.
        pid_since: When that process began.
        exit_code: Of the process; None if nobody saw it.
        message: Why it failed.
    """

    id: str
    name: str
    kind: Kind
    toml: str
    options: tuple[str, ...]
    submitted: datetime
    started: datetime | None
    ended: datetime | None
    state: State
    pid: int | None
    pid_since: float | None
    exit_code: int | None
    message: str
