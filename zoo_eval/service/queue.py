"""The queue of jobs, stored in an SQLite file beside the store: a restarted service goes on."""

import json
import sqlite3
import uuid
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zoo_eval.errors import StoreError
from zoo_eval.service.queued import Kind, QueuedJob, State

_TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
    place INTEGER PRIMARY KEY,      -- in the queue
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,             -- run, retry, rank
    toml TEXT NOT NULL,             -- of a ranking its request, as JSON
    options TEXT NOT NULL,          -- JSON: arguments of the command
    submitted TEXT NOT NULL,        -- UTC
    started TEXT,
    ended TEXT,
    state TEXT NOT NULL,
    pid INTEGER,
    pid_since REAL,                 -- when that process began: numbers are used again
    exit_code INTEGER,
    message TEXT NOT NULL DEFAULT ''
)
"""


class JobQueue:
    """Jobs in an SQLite file, each in a folder of its own.

    Args:
        folder: Made when the first job is submitted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self.folder / "queue.sqlite"

    def changed(self) -> int:
        """When the file was last written, in ns; 0 before it is there."""
        try:
            return self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def file_of(self, job: QueuedJob) -> Path:
        """What was submitted: the job's TOML file, or the ranking's request."""
        return self.folder / job.id / _file(job.name, job.kind)

    def log_of(self, job: QueuedJob) -> Path:
        """What the job's process printed."""
        return self.folder / job.id / "log.txt"

    def progress_of(self, job: str) -> Path:
        """How far a ranking is."""
        return self.folder / job / "progress.json"

    def page_of(self, job: str) -> Path:
        """What a ranking gave: a folder, in which `ranking.json` is the answer."""
        return self.folder / job / "page"

    @property
    def races(self) -> Path:
        """Stores of the rankings' races."""
        return self.folder / "races"

    def submit(self, name: str, toml: str, options: Sequence[str], kind: Kind) -> QueuedJob:
        """Put a job at the end.

        Raises:
            StoreError: the folder cannot be written.
        """
        job = uuid.uuid4().hex[:12]
        try:
            (self.folder / job).mkdir(parents=True)
            (self.folder / job / _file(name, kind)).write_text(toml, encoding="utf-8")
        except OSError as error:
            raise StoreError(f"The queue cannot be written: {error}") from error
        row = (job, name, kind, toml, json.dumps(list(options)), _now())
        with self._open() as connection:
            connection.execute(
                "INSERT INTO jobs (id, name, kind, toml, options, submitted, state) "
                "VALUES (?, ?, ?, ?, ?, ?, 'queued')",
                row,
            )
        found = self.get(job)
        assert found is not None
        return found

    def get(self, job: str) -> QueuedJob | None:
        """A job, or None."""
        found = self._select("WHERE id = ?", job)
        return found[0] if found else None

    def jobs(self) -> list[QueuedJob]:
        """All jobs, in the order of the queue."""
        return self._select()

    def next(self) -> QueuedJob | None:
        """The job whose turn it is."""
        return next(iter(self.waiting()), None)

    def waiting(self) -> list[QueuedJob]:
        """Jobs whose turn has not come."""
        return self._select("WHERE state = 'queued'")

    def underway(self) -> list[QueuedJob]:
        """Jobs that have a process, or had one when the service ended."""
        return self._select("WHERE state IN ('running', 'cancelling')")

    def started(self, job: str, pid: int, since: float) -> bool:
        """Note a job's process; False if the job was cancelled in the meantime."""
        return self._change(
            "SET state = 'running', started = ?, pid = ?, pid_since = ?, message = '' "
            "WHERE id = ? AND state = 'queued'",
            (_now(), pid, since, job),
        )

    def cancel(self, job: str) -> QueuedJob | None:
        """Cancel a job that waits or runs; None if it does neither."""
        waiting = self._change(
            "SET state = 'cancelled', ended = ? WHERE id = ? AND state = 'queued'", (_now(), job)
        )
        running = not waiting and self._change(
            "SET state = 'cancelling' WHERE id = ? AND state = 'running'", (job,)
        )
        return self.get(job) if waiting or running else None

    def ended(self, job: str, state: State, exit_code: int | None, message: str = "") -> None:
        """Note how a job ended."""
        self._change(
            "SET state = ?, ended = ?, exit_code = ?, message = ? WHERE id = ?",
            (state, _now(), exit_code, message, job),
        )

    def put_back(self, job: str) -> None:
        """Let a job wait again; as it keeps its place, it is the next."""
        self._change("SET state = 'queued', started = NULL, pid = NULL WHERE id = ?", (job,))

    def _select(self, condition: str = "", *parameters: object) -> list[QueuedJob]:
        if not self.path.exists():
            return []
        columns = ", ".join(QueuedJob.__dataclass_fields__)
        with self._open() as connection:
            query = f"SELECT {columns} FROM jobs {condition} ORDER BY place"
            rows = connection.execute(query, parameters).fetchall()
        return [_job(row) for row in rows]

    def _change(self, statement: str, parameters: tuple[object, ...]) -> bool:
        with self._open() as connection:
            return connection.execute(f"UPDATE jobs {statement}", parameters).rowcount > 0

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        """A connection for a moment; what was done in it is stored, all or nothing."""
        try:
            with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
                connection.execute(_TABLE)
                yield connection
        except sqlite3.Error as error:
            raise StoreError(f"The queue {self.path} cannot be used: {error}") from error


def _file(name: str, kind: Kind) -> str:
    """A ranking is named by its images, whose name may be no file's."""
    return "request.json" if kind == "rank" else f"{name}.toml"


def _job(row: tuple[Any, ...]) -> QueuedJob:
    job, name, kind, toml, options, submitted, started, ended, *rest = row
    return QueuedJob(
        *(job, name, kind, toml, tuple(json.loads(options))),
        datetime.fromisoformat(submitted),
        datetime.fromisoformat(started) if started else None,
        datetime.fromisoformat(ended) if ended else None,
        *rest,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()
