"""What takes long is done in another process, and a large store is read there."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.service.conftest import begin, fill, outcome
from zoo_eval.errors import ServiceError, StoreError
from zoo_eval.service import live as following
from zoo_eval.service.aside import Aside
from zoo_eval.service.live import Live


def niceness() -> int:
    return os.nice(0)


def end_yourself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse() -> None:
    raise StoreError("no")


def test_calls_in_another_process():
    aside = Aside(niceness=7)
    assert aside.call(os.getpid) == aside.call(os.getpid) != os.getpid()
    assert aside.call(niceness) == os.nice(0) + 7
    with pytest.raises(StoreError, match="no"):
        aside.call(refuse)
    with pytest.raises(ServiceError, match="process of the service has ended"):
        aside.call(end_yourself)
    process = aside.call(os.getpid)  # another one
    aside.stop()
    assert not psutil.pid_exists(process)
    with pytest.raises(ServiceError, match="ends"):
        aside.call(os.getpid)


def test_what_is_underway_ends_when_the_service_does():
    aside = Aside()
    assert aside.call(abs, -1) == 1
    with ThreadPoolExecutor(1) as thread:
        underway = thread.submit(aside.call, time.sleep, 1000)
        while not aside._underway:
            time.sleep(0.01)
        aside.stop()
        with pytest.raises(ServiceError, match="has ended"):
            underway.result(timeout=60)


def test_a_store_that_takes_long_to_read_is_read_there(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "WORTH_S", 0.0)
    monkeypatch.setattr(following, "LONGEST_PAUSE_S", 0.0)
    store = fill(tmp_path / "r.duckdb")
    live = Live(store)
    live.refresh()
    here = live.snapshot
    begin(store, "r2")
    store.commit("r2", outcome("last", 5))
    live.refresh()
    assert len(live.activity.attempts) == len(store.attempts()) > len(here.board)
    assert live.snapshot.state != here.state
    assert "board_table" in live.snapshot.__dict__, "worked out in the other process"
    assert live.snapshot.values_table.columns == here.values_table.columns
    assert '"model": "last"' in live.activity.tries.json("last")
    live.stop()
