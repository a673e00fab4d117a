"""One worker process that dies at the worst moments; see `tests/executors/kills.py` for more."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil

from zoo_eval.executors.process import Limits, Loss
from zoo_eval.executors.slot import Slot, wait_for_one

DEADLY = 13  # a task that kills the worker which does it


class Doubling:
    """Doubles numbers; the folder says how often it has begun."""

    def __init__(self, folder: Path, deaths: int, *_: object) -> None:
        begun = len([*folder.iterdir()])
        (folder / f"{os.getpid()}").touch()
        if begun < deaths:
            os.kill(os.getpid(), signal.SIGKILL)

    def work(self, task: int, doing: Callable[[str], None]) -> tuple[int, int]:
        if task == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * task, 0


def slot_of(folder: Path, deaths: int = 0) -> Slot[int, int]:
    return Slot[int, int](partial(Doubling, folder, deaths), 1, 1, Limits(time_s=60.0))


def all_ended(slot: Slot[int, int]) -> dict[int, int | Loss]:
    found: dict[int, int | Loss] = {}
    while slot.tasks:
        wait_for_one([slot], 0.1)
        found |= dict(slot.ended())
    return found


def test_a_worker_that_is_killed_when_it_has_nothing_to_do(tmp_path):
    slot = slot_of(tmp_path)
    slot.submit(1)
    assert all_ended(slot) == {1: 2}
    os.kill(int(next(tmp_path.iterdir()).name), signal.SIGKILL)
    time.sleep(0.5)
    slot.submit(2)
    slot.submit(3)
    assert all_ended(slot) == {2: 4, 3: 6}
    slot.stop()


def test_a_worker_that_is_killed_as_it_gets_tasks(tmp_path):
    """At any of these moments the tasks are done, or one of them is lost, and none waits."""
    slot = slot_of(tmp_path)
    for round_ in range(5):
        slot.submit(-1)
        assert all_ended(slot) == {-1: -2}
        newest = max(tmp_path.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        os.kill(int(newest.name), signal.SIGKILL)
        time.sleep(0.01 * round_)
        for task in (1, 2, 3):
            slot.submit(task)
        found = all_ended(slot)
        assert found.keys() == {1, 2, 3}
        losses = [loss for loss in found.values() if isinstance(loss, Loss)]
        assert len(losses) <= 1
        assert all(loss.kind == "killed" for loss in losses)
        assert all(found[task] == 2 * task for task in found if found[task] not in losses)
    slot.stop()


class DeadlyToTake:
    """A task that kills the worker which takes it out of the pipe, before it can say so."""

    def __reduce__(self):
        return os._exit, (9,)


def test_a_worker_that_is_killed_between_taking_a_task_and_saying_so(tmp_path, monkeypatch):
    """Pebble finds this one itself, by the lock that the worker held; it must stay so."""
    monkeypatch.setattr("zoo_eval.executors.slot.LOST_AFTER_S", 0.5)
    slot = slot_of(tmp_path)
    slot.submit(1)
    assert all_ended(slot) == {1: 2}
    slot.submit(DeadlyToTake())
    slot.submit(2)
    found = all_ended(slot)
    slot.stop()
    losses = [loss for loss in found.values() if isinstance(loss, Loss)]
    assert [loss.kind for loss in losses] == ["killed"]
    assert found[2] == 4


def test_a_worker_whose_death_is_noticed_before_what_it_took(tmp_path, monkeypatch):
    """Pebble then waits for a process that is gone."""
    monkeypatch.setattr("zoo_eval.executors.slot.LOST_AFTER_S", 0.5)
    monkeypatch.setattr("pebble.pool.process.task_worker_lookup", _nothing_known)
    slot = slot_of(tmp_path)
    slot.submit(1)
    assert all_ended(slot) == {1: 2}
    slot.submit(DEADLY)
    slot.submit(2)
    found = all_ended(slot)
    slot.stop()
    assert isinstance(found[DEADLY], Loss)
    assert found[2] == 4


def _nothing_known(*_: object) -> None:
    raise LookupError("Not found")


def test_a_worker_that_dies_at_its_start(tmp_path):
    """The first task is lost with it, as it would be tried for ever; the second waits again."""
    slot = slot_of(tmp_path, deaths=1)
    slot.submit(1)
    slot.submit(2)
    found = all_ended(slot)
    slot.stop()
    assert found[2] == 4
    assert isinstance(found[1], Loss)
    assert (found[1].kind, found[1].during) == ("killed", "its start")
    assert found[1].message == "The worker process died during its start."


def test_what_workers_are_copies_of_is_killed(tmp_path):
    slot = slot_of(tmp_path)
    slot.submit(1)
    assert all_ended(slot) == {1: 2}
    server = psutil.Process(int(next(tmp_path.iterdir()).name)).parent()
    assert server is not None
    assert "forkserver" in " ".join(server.cmdline())
    slot.submit(2)
    server.kill()
    slot.submit(3)
    found = all_ended(slot)
    slot.stop()
    assert found.keys() == {2, 3}
    losses = [loss for loss in found.values() if isinstance(loss, Loss)]
    assert len(losses) <= 1
    assert all(loss.kind == "killed" for loss in losses)
