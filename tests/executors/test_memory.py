import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.zoo import write_job, write_zoo
from zoo_eval.datasets import load_dataset
from zoo_eval.evaluate import evaluate
from zoo_eval.executors.memory import give_back, keep_freed
from zoo_eval.job import Job
from zoo_eval.plan import make_plan
from zoo_eval.settings import Settings

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def resident() -> float:
    """Megabytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


class Pieces:
    """100 MB in pieces too small for malloc to map, in a circle that only the collector finds."""

    def __init__(self) -> None:
        self.pieces = [bytearray(50_000) for _ in range(2000)]
        self.itself = self


@linux
def test_memory_in_small_pieces_and_in_circles_goes_back_to_the_system():
    give_back()
    before = resident()
    pieces = Pieces()
    last = bytearray(50_000)  # above the others, so that the heap cannot shrink by itself
    assert resident() > before + 90
    del pieces
    give_back()
    assert resident() < before + 30
    assert len(last) == 50_000


def pages_and_megabytes(kept: bool) -> tuple[int, float]:
    """Pages that the system gave for 200 MB after the first 200 MB, and what is left at the end."""
    if kept:
        keep_freed()
    before = resident()
    given = 0
    for _ in range(2):
        start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        blocks = [bytearray(50_000_000) for _ in range(4)]
        del blocks
        given = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start
    if kept:
        assert resident() > before + 190
    give_back()
    return given, resident() - before


@linux
def test_large_blocks_are_used_again_and_then_go_back_to_the_system():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:  # what is set stays set
        given, left = pool.submit(pages_and_megabytes, False).result()
        given_again, left_again = pool.submit(pages_and_megabytes, True).result()
    assert given > 20_000
    assert given_again < 1_000
    assert max(left, left_again) < 20


@linux
@pytest.mark.slow
def test_three_hundred_networks_leave_nothing_behind(tmp_path):
    """After a first round of all kinds, a worker does not grow by more than 5 %."""
    job = Job.load(write_job(tmp_path, write_zoo(tmp_path, 4)))
    dataset = load_dataset(job.dataset)
    settings = Settings(
        "cpu", 16, 0.0, "fp32", "fp32", probe_n=10, probe_seed=0, probe_source="dataset"
    )
    units = make_plan(job, dataset.label, set()).units
    sizes = []
    for place in range(300):
        outcome = evaluate(units[place % len(units)], dataset, settings, {})
        assert outcome.attempt.outcome == "ok"
        give_back()
        sizes.append(resident())
    assert max(sizes[-100:]) < 1.05 * max(sizes[:24])
