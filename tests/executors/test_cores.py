import os
import subprocess
import sys

import pytest

from zoo_eval.executors.cores import threads_of_each, usable_cores


def test_cores_are_those_that_this_process_may_use():
    """Not those of the machine: a batch system gives a slot of it."""
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "from zoo_eval.executors.cores import usable_cores; print(usable_cores())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 1000])
def test_threads_of_all_workers_are_no_more_than_the_cores(workers):
    threads = threads_of_each(workers)
    assert threads >= 1
    assert threads == 1 or threads * workers <= usable_cores()
    assert threads_of_each(1) == usable_cores()
