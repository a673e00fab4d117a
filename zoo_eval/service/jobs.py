"""Carries out the queue: one run at a time, each a process of its own.

A run does not end with the service. Its process goes on, and the next service finds it by its
number and start; an update of the service costs a batch of days nothing. How such a process ended
nobody is told, so its job is queued again: a run of what is there already ends at once, and says
again what failed.
"""

import logging
import os
import signal
import sys
import threading
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from zoo_eval.errors import StoreError
from zoo_eval.service.queue import JobQueue
from zoo_eval.service.queued import QueuedJob
from zoo_eval.service.ranking_request import RankingRequest
from zoo_eval.store import Store
from zoo_eval.store.lock import run_in_progress

_POLL_S = 0.25
_TAIL_BYTES = 65_536
_BUSY = "Another run works on"


class Jobs:
    """Starts the queue's jobs in turn, watches and cancels them.

    Args:
        store: What the runs write to.
        queue: The jobs.
    """

    def __init__(self, store: Store, queue: JobQueue) -> None:
        self._store, self.queue = store, queue
        lock = queue.folder.with_name(f"{queue.folder.name}.lock")
        # Not of one thread: the service starts and stops in different ones.
        self._lock = FileLock(lock, timeout=0, thread_local=False)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_going, name="jobs", daemon=True)

    def claim(self) -> None:
        """Make sure that nobody else carries out the queue.

        Raises:
            StoreError: another service does so.
        """
        try:
            self.queue.folder.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout as error:
            raise StoreError(
                f"Another service carries out the jobs of {self._store.path}. End it, or start "
                "this one with --read-only."
            ) from error
        except OSError as error:
            raise StoreError(f"The queue cannot be written: {error}") from error

    def start(self) -> None:
        """Go on with the queue.

        Raises:
            StoreError: another service does so.
        """
        if not self._lock.is_locked:
            self.claim()
        self._thread.start()

    def stop(self) -> None:
        """Leave the queue to the next service, and a run to itself."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._lock.is_locked:
            Path(self._lock.lock_file).unlink(missing_ok=True)
            self._lock.release()

    def cancel(self, job: str) -> QueuedJob | None:
        """Take a job from the queue, or end its run in order: what it has stored stays.

        Returns:
            The job; None if it neither waits nor runs.
        """
        cancelled = self.queue.cancel(job)
        if cancelled is not None and cancelled.state == "cancelling":
            process = _process_of(cancelled)
            if process is not None:
                process.send_signal(signal.SIGTERM)
        return cancelled

    def _keep_going(self) -> None:
        while not self._stop.wait(_POLL_S):
            try:
                self._step()
            except Exception:  # a full disk, say: the queue goes on when there is room again
                logging.getLogger("uvicorn.error").exception("the queue is held up")

    def _step(self) -> None:
        underway = self.queue.underway()
        for job in underway:
            self._look_after(job)
        job = self.queue.next()
        if job is not None and not underway and not run_in_progress(self._store):
            self._begin(job)

    def _begin(self, job: QueuedJob) -> None:
        command = [sys.executable, "-m", "zoo_eval", *self._arguments(job)]
        log = str(self.queue.log_of(job))
        process = psutil.Process(
            os.posix_spawn(
                sys.executable,
                command,
                {**os.environ, "PYTHONUNBUFFERED": "1"},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ],
                setsid=True,  # Ctrl-C in the service's terminal is not meant for the run
            )
        )
        if not self.queue.started(job.id, process.pid, process.create_time()):
            process.send_signal(signal.SIGTERM)
            process.wait()

    def _arguments(self, job: QueuedJob) -> list[str]:
        if job.kind == "rank":
            request = RankingRequest.model_validate_json(job.toml)
            self.queue.races.mkdir(exist_ok=True)
            return request.arguments(
                {
                    "store": self.queue.races.absolute() / request.store,
                    "out": self.queue.page_of(job.id).absolute(),
                    "progress": self.queue.progress_of(job.id).absolute(),
                }
            )
        file, store = self.queue.file_of(job), self._store.path.absolute()
        return [job.kind, str(file), "--store", str(store), *job.options]

    def _look_after(self, job: QueuedJob) -> None:
        process = _process_of(job)
        if process is not None:
            try:
                code = process.wait(timeout=0)
            except psutil.TimeoutExpired:
                return
        else:
            code = None
        text = tail(self.queue.log_of(job))
        if job.state == "cancelling":
            self.queue.ended(job.id, "cancelled", code)
        elif code is None or (code == 2 and _BUSY in text):
            self.queue.put_back(job.id)
        elif code in (0, 3):
            self.queue.ended(job.id, "done", code)
        elif code in (130, -signal.SIGTERM):
            self.queue.ended(job.id, "interrupted", code)
        else:
            self.queue.ended(job.id, "failed", code, _last_line(text) or f"It ended with {code}.")


def tail(path: Path) -> str:
    """The end of a log; empty if there is none yet."""
    try:
        with path.open("rb") as opened:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return opened.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].removeprefix("zoo-eval: ") if lines else ""


def _process_of(job: QueuedJob) -> psutil.Process | None:
    """The job's process, if it lives: its own child may also be ended, and wait to be asked."""
    if job.pid is None:
        return None
    try:
        process = psutil.Process(job.pid)
        same = process.create_time() == job.pid_since
        ours = process.ppid() == os.getpid()
        return process if same and (ours or process.status() != psutil.STATUS_ZOMBIE) else None
    except psutil.NoSuchProcess:
        return None
