"""What disks, other processes and clocks do to a store; what was stored before stays."""

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tests.disks import empty, fill, make_read_only, mounted
from tests.store.test_store import DATASET, NOON, begin, key, outcome
from zoo_eval.errors import StoreError
from zoo_eval.store import ModelRow, RunRow, ScoreRow, Store
from zoo_eval.store import store as module
from zoo_eval.store.check import check_store


def many_models() -> list[ModelRow]:
    return [
        ModelRow(
            *(f"m.{n}", "fam", 7, None, None, 32, None, False, None, "x", f'{{"n": "{n * 999}"}}'),
            *((("x", "top1", 0.5),), "here"),
        )
        for n in range(3000)
    ]


RUN = RunRow("r2", "job", "text", "zoo-eval run job", NOON, None, "{}", "host")
ROWS = [ScoreRow(key(f"s{k}"), k / 7, None, 0.1) for k in range(3000)]
WRITES: dict[str, Callable[[Store], None]] = {
    "begin_run": lambda store: store.begin_run(RUN, many_models(), DATASET),
    "commit": lambda store: store.commit("r1", outcome(*ROWS)),
    "end_run": lambda store: store.end_run("r1", "done"),
    "keep_calibration": lambda store: store.keep_calibration("mine", "working_set", 1.0),
    "forget_arrays": lambda store: store.forget_arrays(["x"]),
}


def attempt(write: Callable[[], object]) -> bool:
    """Whether there was space enough; if not, it must have been said, in one line."""
    try:
        write()
    except StoreError as error:
        message = str(error)
    else:
        return True
    assert "no space is left on the disk; what was stored before is safe" in message
    assert "\n" not in message
    return False


def content(store: Store) -> list[list[tuple]]:
    tables = ("scores", "models", "attempts", "calibrations", "runs", "embeddings")
    with duckdb.connect(str(store.path), read_only=True) as connection:
        return [connection.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in tables]


@pytest.mark.parametrize("write", WRITES)
def test_a_full_disk_at_every_write(tmp_path, write):
    """All of a write or nothing, however much space there is; and the next one works."""
    with mounted(tmp_path / "small", "size=12m") as disk:
        store = Store(disk / "results.duckdb", patience_s=0.5)
        begin(store)
        store.commit("r1", outcome(ScoreRow(key(), 1.5, None, 0.1)))
        shutil.copyfile(store.path, tmp_path / "before.duckdb")
        before = content(store)
        shutil.copyfile(store.path, tmp_path / "after.duckdb")
        expected = Store(tmp_path / "after.duckdb")
        WRITES[write](expected)
        n_failed = 0
        for free in (0, 65536, 700_000):
            fill(disk, free=free)
            done = attempt(lambda: WRITES[write](store))
            n_failed += not done
            empty(disk)
            after = content(store)
            assert done or after == before
            if done and write != "forget_arrays":
                assert after != before
                assert [len(rows) for rows in after] == [len(rows) for rows in content(expected)]
            store.path.unlink()
            store.path.with_name("results.duckdb.wal").unlink(missing_ok=True)
            shutil.copyfile(tmp_path / "before.duckdb", store.path)
        WRITES[write](store)
        assert n_failed or write == "forget_arrays"


def old_file(path: Path) -> None:
    """A file as the first release wrote it, with one value."""
    connection = duckdb.connect(str(path))
    connection.execute((Path(__file__).parent / "schema_1.sql").read_text())
    row = (*dataclasses.astuple(key()), 1.5, None, 0.1, "r1", datetime(2026, 1, 1))
    connection.execute(f"INSERT INTO scores VALUES ({', '.join('?' * len(row))})", row)
    connection.close()


def test_a_full_disk_while_an_older_file_is_brought_up_to_date(tmp_path):
    with mounted(tmp_path / "small", "size=8m") as disk:
        store = Store(disk / "old.duckdb", patience_s=0.5)
        old_file(store.path)
        before = store.path.read_bytes()
        n_failed = 0
        for free in (0, 65536):
            fill(disk, free=free)
            n_failed += not attempt(store.done)
            empty(disk)
            assert store.done() == {key()}
            assert store.sql("FROM meta")["schema_version"].tolist() == [4]
            store.path.with_name("old.duckdb.wal").unlink(missing_ok=True)
            store.path.write_bytes(before)
        assert n_failed


_KILLED_WHEN_UP_TO_DATE = """
import os, sys
from pathlib import Path
from zoo_eval.store.connection import connect
with connect(Path(sys.argv[1]), read_only=False, patience_s=0.0):
    os._exit(0)
"""


@pytest.mark.parametrize("old", [True, False])
@pytest.mark.parametrize("first", ["read", "write"])
def test_a_kill_just_after_a_file_was_made_or_brought_up_to_date(store, old, first):
    if old:
        old_file(store.path)
    root = str(Path(__file__).parents[2])
    command = (sys.executable, "-c", _KILLED_WHEN_UP_TO_DATE, str(store.path))
    subprocess.run(command, env={**os.environ, "PYTHONPATH": root}, check=True)
    assert store.path.with_name("results.duckdb.wal").exists()
    if first == "write":
        begin(store)
    assert store.done() == ({key()} if old else set())
    begin(store, "r2")
    wrong = {f.name for f in check_store(store, store.arrays) if not f.good}
    assert wrong <= {"references", "runs"}  # the old file has a score, but no run


def test_a_disk_that_cannot_be_written(tmp_path):
    with mounted(tmp_path / "disk", "size=16m") as disk:
        store = Store(disk / "results.duckdb", patience_s=0.2)
        begin(store)
        store.commit("r1", outcome(ScoreRow(key(), 1.5, None, 0.1)))
        old_file(disk / "old.duckdb")
        make_read_only(disk)
        for write in WRITES.values():
            with pytest.raises(StoreError, match=r"results\.duckdb cannot be written: ") as caught:
                write(store)
            assert "\n" not in str(caught.value)
        assert store.done() == {key()}
        assert store.scores()["value"].tolist() == [1.5]
        with pytest.raises(StoreError, match=r"new/r\.duckdb cannot be written"):
            begin(Store(disk / "new" / "r.duckdb"))
        with pytest.raises(StoreError, match=r"old\.duckdb cannot be written"):
            Store(disk / "old.duckdb").done()
        found = {f.name: f.text for f in check_store(store, store.arrays) if not f.good}
        assert found.keys() == {"indexes"}
        assert "cannot be written" in found["indexes"]


def test_a_file_that_cannot_be_written(tmp_path):
    """Root may write a file whatever its mode; what is immutable nobody may."""
    store = Store(tmp_path / "results.duckdb", patience_s=0.2)
    begin(store)
    try:
        done = subprocess.run(("chattr", "+i", str(store.path)), capture_output=True, check=False)
    except OSError as error:
        pytest.skip(f"this system has no chattr: {error}")
    if done.returncode:
        pytest.skip(f"this file system has no immutable files: {done.stderr.decode().strip()}")
    try:
        with pytest.raises(StoreError, match=r"results\.duckdb cannot be written: "):
            store.end_run("r1", "done")
        assert store.runs()["state"].tolist() == ["running"]
    finally:
        subprocess.run(("chattr", "-i", str(store.path)), check=True)
    store.end_run("r1", "done")


_HOLD = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize("held_s", [2.0, pytest.param(30.0, marks=pytest.mark.slow)])
def test_a_store_that_another_process_holds_for_a_while(tmp_path, held_s):
    """A user of `zoo-eval run` sees nothing of it: writing and reading wait."""
    store = Store(tmp_path / "results.duckdb")
    begin(store)
    command = (sys.executable, "-c", _HOLD, str(store.path), str(held_s))
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    began = time.monotonic()
    store.commit("r1", outcome(ScoreRow(key(), 1.5, None, 0.1)))
    assert time.monotonic() - began > held_s / 2
    holder.stdout.close()
    assert holder.wait(30) == 0
    assert store.done() == {key()}


# Clocks

EARLIER = NOON - timedelta(days=400)


@pytest.fixture
def clock(monkeypatch) -> Callable[[datetime], None]:
    """Sets the clock that the store reads."""
    return lambda when: monkeypatch.setattr(module, "now", lambda: when)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "results.duckdb", patience_s=0.5)


def run(store: Store, name: str, when: datetime) -> None:
    store.begin_run(dataclasses.replace(RUN, run=name, started=when), [], DATASET)


def test_what_is_stored_later_is_shown_though_the_clock_went_back(store, clock):
    """The same version of a score under another fingerprint: the newer row counts."""
    for when, fingerprint, value in ((NOON, "f", 1.0), (EARLIER, "a", 2.0), (EARLIER, "z", 3.0)):
        clock(when)
        run(store, fingerprint, when)
        store.commit(fingerprint, outcome(ScoreRow(key(fingerprint=fingerprint), value, None, 0.1)))
        assert store.scores()["value"].tolist() == [value]
        assert store.sql("FROM latest_scores")["value"].tolist() == [value]
        store.end_run(fingerprint, "done")
    assert len(store.sql("FROM scores")) == 3
    runs = store.runs()
    assert runs["run"].tolist() == ["f", "a", "z"]
    assert (runs["ended"] >= runs["started"]).all()


def test_the_last_attempt_counts_though_the_clock_went_back(store, clock):
    tries = ((NOON, "error"), (EARLIER, "ok"), (EARLIER - timedelta(1), "timeout"))
    for place, (when, how) in enumerate(tries):
        clock(when)
        run(store, f"r{place}", when)
        store.commit(f"r{place}", outcome(how=how, started=when))
        assert store.failures()["outcome"].tolist() == ([] if how == "ok" else [how])
    # Twice in one run, as a retry has it.
    store.commit("r2", outcome(how="ok", started=EARLIER - timedelta(2)))
    assert len(store.failures()) == 0


def test_of_two_runs_at_once_the_last_attempt_counts(store, clock):
    clock(NOON)
    for name in ("r1", "r2"):
        run(store, name, NOON)
    store.commit("r2", outcome(how="error"))
    assert len(store.failures()) == 1


def test_a_clock_that_is_right_is_believed(store):
    now = datetime.now(UTC).replace(tzinfo=None)
    begin(store)
    store.commit("r1", outcome(ScoreRow(key(), 1.0, None, 0.1)))
    stored = store.scores()["stored"].iloc[0]
    assert abs(stored - now) < timedelta(minutes=1)
    assert store.runs()["started"].tolist() == [NOON]
