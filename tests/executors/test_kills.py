"""SIGKILL at random instants: nothing is lost, doubled or done again; see `reports/batches`."""

import sys
from pathlib import Path

import pytest

from tests.executors.kills import WHOM, Found, Killer
from tests.zoo import write_job, write_zoo

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux")


def write_small(folder: Path, n_models: int) -> Path:
    """A job of so many real, small networks."""
    scores = '["params", "dse", "logme", "knn_accuracy", "dsmi_images"]'
    job = write_job(folder, write_zoo(folder, n_models), scores=scores)
    text = job.read_text().replace('["pretrained", "init"]', '["pretrained"]')
    job.write_text(text.replace("images_per_class = 6", "images_per_class = 20"))
    return job


def check(found: Found) -> None:
    assert (found.lost, found.different, found.doubled) == (0, 0, 0)
    assert (found.again, found.orphans, found.strays) == (0, 0, 0)


def test_a_few_kills(tmp_path):
    killer = Killer(write_small(tmp_path / "zoo", 12), tmp_path, 0, "--workers", "2")
    killer.round(kills=2)
    assert sum(killer.found.kills.values()) >= 1
    check(killer.found)


@pytest.mark.slow
def test_two_hundred_kills(tmp_path):
    killer = Killer(write_small(tmp_path / "zoo", 30), tmp_path, 1, "--workers", "2")
    while sum(killer.found.kills.values()) < 200:
        killer.round()
    assert all(killer.found.kills[whom] > 40 for whom in WHOM)
    assert killer.found.in_commit > 20
    check(killer.found)
