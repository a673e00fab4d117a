"""A measuring process that dies is one line, not a traceback."""

import os
import signal
import threading
import time

import psutil
import pytest

from zoo_eval import Store
from zoo_eval.errors import ModelError
from zoo_eval.executors.measured import measured_working_set


def kill_the_measuring_process() -> None:
    """As the system does when memory is short; the first process that the fork server makes."""
    me = psutil.Process()
    before = set(me.children(recursive=True))
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        for process in set(me.children(recursive=True)) - before:
            parent = process.parent()
            if parent is not None and parent.pid != me.pid:
                os.kill(process.pid, signal.SIGKILL)
                return
        time.sleep(0.005)


def test_it_is_killed(tmp_path):
    killer = threading.Thread(target=kill_the_measuring_process)
    killer.start()
    with pytest.raises(ModelError, match="ended before it had a result"):
        measured_working_set(Store(tmp_path / "r.duckdb"), "cpu", 1, "fp32")
    killer.join()
