"""Runs as one list: the queue's jobs, and those that were started in a terminal."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from zoo_eval.ranking.progress import RaceProgress
from zoo_eval.report.frames import Frame
from zoo_eval.service.jobs import tail
from zoo_eval.service.live import Live
from zoo_eval.service.queue import JobQueue
from zoo_eval.service.queued import Kind, QueuedJob, State
from zoo_eval.service.race_files import read_race
from zoo_eval.service.snapshot import Activity

_LINE = re.compile(r"^\[(\d+)/(\d+)\] ", re.MULTILINE)  # as zoo_eval/cli/progress.py prints it


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        done: Networks that are finished, the failed ones included.
        failed: Networks whose last attempt in this run failed.
        left: Networks to come; None if only the run's own terminal knows.
        per_minute: Networks a minute so far.
        seconds_left: Until its end, at that rate.
    """

    done: int
    failed: int
    left: int | None
    per_minute: float | None
    seconds_left: float | None


@dataclass(frozen=True)
class RunView:
    """A run as the service shows it.

    Attributes:
        id: The queue's name of it; for a run from a terminal, the store's.
        name: The job's name.
        kind: `run`, `retry` or `rank`.
        source: `service`: the queue started it; `terminal`: somebody else.
        state: Where it stands.
        submitted: UTC; as `started` and `ended`.
        started: None while it waits.
        ended: None before.
        exit_code: Of its process, if the service saw it end.
        message: Why it failed.
        store_run: The store's name of it, once it has begun to write.
        progress: How far it is; None before it has begun to write.
    """

    id: str
    name: str
    kind: Kind
    source: Literal["service", "terminal"]
    state: State
    submitted: datetime
    started: datetime | None
    ended: datetime | None
    exit_code: int | None
    message: str
    store_run: str | None
    progress: Progress | None


class RunViews:
    """All runs, worked out anew when something has changed, and twice a second.

    Args:
        queue: Of the service's own jobs.
        live: What the store says.
    """

    def __init__(self, queue: JobQueue, live: Live) -> None:
        self._queue, self._live = queue, live
        self._of: tuple[tuple[object, ...], list[RunView]] | None = None

    def newest(self) -> list[RunView]:
        """The newest run first.

        Raises:
            StoreError: the queue cannot be read.
        """
        activity = self._live.activity
        key = (id(activity), self._queue.changed(), int(2 * time.monotonic()))
        if self._of is None or self._of[0] != key:
            self._of = (key, run_views(self._queue, activity))
        return self._of[1]


def run_views(queue: JobQueue, activity: Activity) -> list[RunView]:
    """All runs, the newest first."""
    stored: list[dict[str, object]] = activity.runs.to_dict("records")
    jobs = queue.jobs()
    of_job = {job.id: run for run in stored for job in jobs if f"/{job.id}/" in str(run["command"])}
    ours = {str(run["run"]) for run in of_job.values()}
    views = [
        replace(view_of(job), progress=_of_race(read_race(queue.progress_of(job.id))))
        if job.kind == "rank"
        else _with_progress(view_of(job, of_job.get(job.id)), activity, tail(queue.log_of(job)))
        for job in jobs
    ]
    views += [_of_terminal(run, activity) for run in stored if str(run["run"]) not in ours]
    return sorted(views, key=lambda view: view.started or view.submitted, reverse=True)


def view_of(job: QueuedJob, stored: Mapping[str, object] | None = None) -> RunView:
    """A job of the queue, with what the store says of its run; without progress."""
    return RunView(
        id=job.id,
        name=job.name,
        kind=job.kind,
        source="service",
        state=job.state,
        submitted=job.submitted,
        started=job.started,
        ended=job.ended,
        exit_code=job.exit_code,
        message=job.message,
        store_run=None if stored is None else str(stored["run"]),
        progress=None,
    )


def attempts_of(view: RunView, activity: Activity) -> Frame:
    """The last attempt of a run at each network, oldest first."""
    return activity.last_attempts.get(view.store_run or "", activity.attempts.iloc[:0])


def _of_terminal(stored: dict[str, object], activity: Activity) -> RunView:
    started, ended = _utc(stored["started"]), _utc(stored["ended"])
    state: State = "done" if stored["state"] == "done" else "interrupted"
    if stored["state"] == "running" and activity.running:
        state = "running" if stored["run"] == activity.runs["run"].iloc[-1] else "interrupted"
    kind: Kind = "retry" if str(stored["command"]).startswith("zoo-eval retry") else "run"
    assert started is not None
    run = str(stored["run"])
    view = RunView(
        id=run,
        name=str(stored["job"]),
        kind=kind,
        source="terminal",
        state=state,
        submitted=started,
        started=started,
        ended=ended,
        exit_code=None,
        message="",
        store_run=run,
        progress=None,
    )
    return _with_progress(view, activity, "")


def _with_progress(view: RunView, activity: Activity, log: str) -> RunView:
    if view.store_run is None:
        return view
    last = attempts_of(view, activity)
    failed = 0 if last.empty else int((~last["outcome"].isin(["ok", "undefined"])).sum())
    done, left = len(last), None
    lines = _LINE.findall(log)
    if lines:
        # The run prints a network after it has stored it; we read the store a moment later.
        done = max(done, int(lines[-1][0]))
        left = max(0, int(lines[-1][1]) - done)
    rate = seconds_left = None
    if view.started is not None and len(last):
        first = last["started"].min()
        began = _utc(first) or view.started
        elapsed = ((view.ended or datetime.now(UTC)) - began).total_seconds()
        rate = 60 * done / elapsed if elapsed > 0 else None
        if rate and left is not None and view.state == "running":
            seconds_left = 60 * left / rate
    progress = Progress(done, failed, left, rate, seconds_left)
    return replace(view, progress=progress)


def _of_race(race: RaceProgress | None) -> Progress | None:
    """That of the round that runs, or was the last."""
    if race is None or not race.rounds:
        return None
    now = race.rounds[-1]
    left = now.networks - now.stored - now.without_time - now.done
    return Progress(now.done + now.stored, now.failed, left, None, None)


def _utc(time: object) -> datetime | None:
    """A time of the store, which is a pandas timestamp or missing, as Python has it."""
    found = getattr(time, "to_pydatetime", lambda: None)()
    return found.replace(tzinfo=UTC) if isinstance(found, datetime) and found == found else None
