"""Kills runs of a real job at random instants, again and again, and looks at what is left.

One round: a fresh store; the job is started and killed until it is done or `KILLS_A_ROUND` kills
have been made, and then started once more and left alone. What it leaves must be what an
uninterrupted run leaves. A run whose worker is killed goes on, and is killed again.
"""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import psutil

from zoo_eval import Store

KILLS_A_ROUND = 12
KEY = ["model", "weights", "seed", "dataset", "score", "options", "version", "fingerprint"]
# Who is killed, and when: after some outcomes were reported, or in the middle of a commit, which
# is when DuckDB's log lies beside the store.
WHOM = ("run", "worker", "both")


@dataclass
class Found:
    """Counts over all rounds.

    Attributes:
        runs: Started to be killed; some were done before.
        kills: Of each kind.
        resumed: Runs that were left alone, one after each round.
        set_aside: Rounds in which one network's worker was killed twice in one run, so that it
            took `zoo-eval retry` to finish.
        in_commit: Kills as soon as the store's log was there.
        lost: Rows that an uninterrupted run has and a killed and resumed one has not.
        different: Rows with another value.
        doubled: Rows with the same key.
        again: Networks that were evaluated although their rows were stored.
        orphans: Files that nobody needs.
        strays: Workers that outlived their run by more than five seconds.
    """

    runs: int = 0
    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WHOM, 0))
    resumed: int = 0
    set_aside: int = 0
    in_commit: int = 0
    lost: int = 0
    different: int = 0
    doubled: int = 0
    again: int = 0
    orphans: int = 0
    strays: int = 0


class Killer:
    """Kills runs of one job.

    Args:
        job: The job file.
        folder: For stores; must be empty.
        seed: Of who is killed when.
        arguments: More options of `zoo-eval run`.
    """

    def __init__(self, job: Path, folder: Path, seed: int, *arguments: str) -> None:
        self._job, self._folder, self._arguments = job, folder, arguments
        self._random = random.Random(seed)
        self.found = Found()
        self._last = ""  # line that was read of a run
        self._whole = self._values(self._uninterrupted())

    def round(self, kills: int = KILLS_A_ROUND) -> None:
        """Kill a job some times, let it finish, and look."""
        folder = self._folder / f"round{self.found.resumed}"
        store = Store(folder / "r.duckdb")
        folder.mkdir()
        most = sum(self.found.kills.values()) + kills
        while sum(self.found.kills.values()) < most:
            if self._start_and_kill(store) in (0, 3):
                break  # it was done before its turn came
        done = self._done(store)
        self._finish(store)
        self.found.resumed += 1
        self._compare(store, done)

    def _uninterrupted(self) -> Store:
        folder = self._folder / "whole"
        folder.mkdir()
        store = Store(folder / "r.duckdb")
        self._finish(store)
        return store

    def _start(self, store: Store, command: str = "run") -> subprocess.Popen[str]:
        program = (sys.executable, "-m", "zoo_eval", command, str(self._job))
        return subprocess.Popen(
            [*program, "--store", str(store.path), *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    def _finish(self, store: Store) -> None:
        run = self._start(store)
        output, _ = run.communicate(timeout=600)
        # 3: a network is set aside, whose worker was killed twice in one run.
        assert run.returncode == (3 if "failed before" in output else 0), output
        if run.returncode == 3:
            self.found.set_aside += 1
            run = self._start(store, "retry")
            output, _ = run.communicate(timeout=600)
            assert run.returncode == 0, output

    def _start_and_kill(self, store: Store) -> int:
        """Start a run, kill workers of it or the run itself; the exit code."""
        run = self._start(store)
        self.found.runs += 1
        assert run.stdout is not None
        workers: set[psutil.Process] = set()
        while run.poll() is None:
            # Mostly workers: their run goes on, and so can be hit again.
            whom = self._random.choices(WHOM, (1, 3, 1))[0]
            self._wait(run, store)
            workers |= {*_workers(run.pid)}
            if not self._kill(run, whom):
                break
            self.found.kills[whom] += 1
            if whom != "worker":
                break
        output, _ = run.communicate(timeout=600)
        # 3: the same network's worker was killed twice.
        assert run.returncode in (0, 3, -signal.SIGKILL), (run.returncode, self._last, output)
        _, alive = psutil.wait_procs(workers, timeout=5)
        self.found.strays += len(alive)
        return run.returncode

    def _wait(self, run: subprocess.Popen[str], store: Store) -> None:
        """For a random instant: while it starts, after some outcomes, or in the next commit."""
        lines = self._random.choice((0, 1, 2, 4, 6))
        assert run.stdout is not None
        while lines > 0 and (line := run.stdout.readline()):
            lines -= line.startswith("[")
            self._last = line
        log = store.path.with_name(f"{store.path.name}.wal")
        if self._random.random() < 0.4 and _wait_for(log, run):
            self.found.in_commit += 1
        else:
            time.sleep(self._random.uniform(0, 0.2))

    def _kill(self, run: subprocess.Popen[str], whom: str) -> bool:
        """Whether anybody was there to be killed."""
        workers = _workers(run.pid) if whom != "run" else []
        victims = [self._random.choice(workers).pid] if workers else []
        if run.poll() is None and whom != "worker":
            victims.append(run.pid)
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        return bool(victims)

    def _done(self, store: Store) -> set[tuple[str, str]]:
        """Networks with all their rows, before the last run."""
        if not store.path.exists():
            return set()
        attempts = store.attempts()
        ok = attempts[attempts["outcome"] == "ok"]
        return set(zip(ok["model"], ok["weights"], strict=True))

    def _compare(self, store: Store, done: set[tuple[str, str]]) -> None:
        values = self._values(store)
        self.found.doubled += int(values.index.duplicated().sum())
        self.found.lost += len(self._whole.index.difference(values.index))
        both = self._whole.index.intersection(values.index)
        self.found.different += int((self._whole[both] != values[both]).sum())
        attempts = store.attempts()
        ok = attempts[attempts["outcome"] == "ok"].groupby(["model", "weights"]).size()
        self.found.again += int((ok - 1).sum())
        assert done <= set(ok.index)
        expected = {"r.duckdb"} | {file.name for file in (self._folder / "whole").iterdir()}
        self.found.orphans += sum(f.name not in expected for f in store.path.parent.iterdir())

    @staticmethod
    def _values(store: Store) -> "pd.Series[float]":
        frame = store.sql(f"SELECT {', '.join(KEY)}, value FROM scores").set_index(KEY)
        return frame["value"].sort_index()


def _wait_for(file: Path, run: subprocess.Popen[str]) -> bool:
    """Wait until a file is there; False if the run ended before."""
    while not file.exists():
        if run.poll() is not None:
            return False
    return True


def _workers(pid: int) -> list[psutil.Process]:
    """Workers of a run, and the process that they are copies of."""
    try:
        below = psutil.Process(pid).children(recursive=True)
        return [process for process in below if "forkserver" in " ".join(process.cmdline())]
    except psutil.NoSuchProcess:
        return []
