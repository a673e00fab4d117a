"""Calls beside this process: the same results, no process left, and a lost one is said."""

import multiprocessing
import os
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress

import pytest

from zoo_eval.errors import InputError, ReportError
from zoo_eval.side_processes import SideProcesses, side_processes


def _divide(a: int, *, by: int) -> tuple[float, int]:
    if by == 0:
        raise InputError("by must not be 0.")
    return a / by, os.getpid()


def test_without_processes_calls_are_carried_out_here():
    assert SideProcesses().count == 1
    assert SideProcesses().submit(_divide, 3, by=2).result() == (1.5, os.getpid())


def test_calls_are_carried_out_in_other_processes_that_end():
    others = set(multiprocessing.active_children())
    with side_processes(["json"]) as beside:
        futures = [beside.submit(_divide, 3, by=by) for by in (1, 2, 4)]
        found = [future.result() for future in futures]
        assert [value for value, _ in found] == [3, 1.5, 0.75]
        assert beside.count == 1 or os.getpid() not in {process for _, process in found}
        with pytest.raises(InputError, match="must not be 0"):
            beside.submit(_divide, 3, by=0).result()
    assert set(multiprocessing.active_children()) <= others


def test_at_most_so_many_processes(monkeypatch):
    monkeypatch.setattr("zoo_eval.side_processes.joblib.cpu_count", lambda: 2)
    with side_processes([], at_most=1) as beside:
        calls = [beside.submit(_divide, 3, by=2) for _ in range(4)]
        assert len({call.result()[1] for call in calls} - {os.getpid()}) == beside.count == 1


def test_after_an_error_nobody_waits_for_the_processes(monkeypatch):
    monkeypatch.setattr("zoo_eval.side_processes.joblib.cpu_count", lambda: 2)
    calls: list[Future[None]] = []
    with suppress(InputError), side_processes([]) as beside:
        calls.append(beside.submit(time.sleep, 60))
        raise InputError("Something else went wrong.")
    assert calls[0].cancelled() or isinstance(calls[0].exception(), BrokenProcessPool)


def test_on_one_core_there_is_no_other_process(monkeypatch):
    monkeypatch.setattr("zoo_eval.side_processes.joblib.cpu_count", lambda: 1)
    with side_processes([]) as beside:
        assert beside.submit(_divide, 3, by=2).result() == (1.5, os.getpid())


def test_a_process_that_was_killed_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr("zoo_eval.side_processes.joblib.cpu_count", lambda: 2)
    with pytest.raises(ReportError, match="LOKY_MAX_CPU_COUNT"), side_processes([]) as beside:
        beside.submit(os._exit, 9).result()
