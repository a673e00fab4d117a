"""The budget for downloaded weights, and whose files are never evicted."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.models.hub_client import (
    BYOB,
    RESNET,
    VIT,
    cache,
    download_as_others_do,
    entries,
    partial_files,
    refusal,
)
from tests.models.hub_server import drip
from zoo_eval.byte_size import size_text
from zoo_eval.errors import BudgetError
from zoo_eval.models.published.cached import locate
from zoo_eval.models.published.ledger import Ledger

ARCHITECTURES = ("test_resnet", "test_vit", "test_byobnet")


@pytest.fixture
def sizes(hub) -> dict[str, int]:
    """The three networks are published; the sizes of their files."""
    return {name: len(hub.publish_model(name)) for name in ARCHITECTURES}


def here(*lines) -> list[bool]:
    return [locate(line) is not None for line in lines]


def fetch(weights_cache, *lines) -> None:
    """One after the other, none in use at the end."""
    for line in lines:
        weights_cache.release(weights_cache.hold(line))


def bytes_on_disk() -> int:
    """Of all weights in the hub's cache, half ones included."""
    total = 0
    for folder, _, names in os.walk(constants.HF_HUB_CACHE):
        for path in (Path(folder, name) for name in names if folder.endswith("/blobs")):
            with contextlib.suppress(FileNotFoundError):  # evicted at this moment
                total += path.stat().st_size
    return total


def test_the_least_recently_used_goes_first(sizes):
    with cache(sum(sizes.values()) - 1) as weights_cache:
        fetch(weights_cache, RESNET, VIT, RESNET, BYOB)
        assert here(RESNET, VIT, BYOB) == [True, False, True]
        fetch(weights_cache, VIT)
        assert here(RESNET, VIT, BYOB) == [False, True, True]


def test_the_measured_peak_stays_within_the_budget(hub, sizes):
    hub.pace = 0.05
    budget = int(2.2 * max(sizes.values()))
    peaks, ended = [0], threading.Event()

    def measure():
        while not ended.wait(0.002):
            peaks.append(bytes_on_disk())

    watcher = threading.Thread(target=measure)
    watcher.start()
    with cache(budget) as weights_cache:
        fetch(weights_cache, RESNET, VIT, BYOB, RESNET, VIT, BYOB)
    ended.set()
    watcher.join()
    assert weights_cache.bytes_downloaded > 2 * budget
    assert max(sizes.values()) < max(peaks) <= weights_cache.peak_bytes <= budget


def test_one_model_above_the_whole_budget(hub, sizes):
    with cache(10**6) as weights_cache:
        message = refusal(weights_cache.hold, RESNET)
    assert message == (
        "The weights of test_resnet.r160_in1k cannot be downloaded from "
        f"timm/test_resnet.r160_in1k: they have {size_text(sizes['test_resnet'])}, more than the "
        "whole budget of 1.00 MB"
    )
    assert hub.methods == ["HEAD"]


def test_what_is_in_use_stays_and_the_server_is_not_asked_again_for_what_waits(hub, sizes):
    with cache(sum(sizes.values()) - 1) as weights_cache:
        first = weights_cache.hold(RESNET)
        weights_cache.hold(VIT)
        n_requests = 0
        for _ in range(3):
            with pytest.raises(BudgetError, match="find no room in the budget"):
                weights_cache.hold(BYOB)
            n_requests = n_requests or len(hub.requests)
        assert len(hub.requests) == n_requests
        assert here(RESNET, VIT, BYOB) == [True, True, False]
        weights_cache.release(first)
        weights_cache.hold(BYOB)
        assert here(RESNET, VIT, BYOB) == [False, True, True]


def test_a_file_that_is_used_twice_stays_until_both_are_done(sizes):
    with cache(sizes["test_resnet"] + 1) as weights_cache:
        path = weights_cache.hold(RESNET)
        weights_cache.hold(RESNET)
        weights_cache.release(path)
        with pytest.raises(BudgetError):
            weights_cache.hold(VIT)
        weights_cache.release(path)
        weights_cache.hold(VIT)


def test_files_that_others_downloaded_stay_and_do_not_count(sizes):
    download_as_others_do("timm/test_resnet.r160_in1k", "model.safetensors")
    with cache(max(sizes.values())) as weights_cache:
        fetch(weights_cache, RESNET, VIT, BYOB)
        assert weights_cache.peak_bytes == max(sizes["test_vit"], sizes["test_byobnet"])
    assert here(RESNET, VIT, BYOB) == [True, False, True]


def test_what_others_put_beside_it_stays(hub):
    """In the same revision, and the same contents in another one."""
    repository, name = "timm/test_resnet.r160_in1k", "model.safetensors"
    data = hub.publish_model("test_resnet")
    with cache() as weights_cache:
        fetch(weights_cache, RESNET)
    files = {name: data, "config.json": b"{}"}
    commit = hub.publish(repository, files)
    others = [download_as_others_do(repository, file, commit) for file in files]
    ours = locate(RESNET)
    assert ours.resolve() == others[0].resolve()
    with cache(1) as weights_cache:
        weights_cache.trim()
    assert not ours.exists()
    assert [path.read_bytes() for path in others] == [data, b"{}"]


def test_nothing_is_left_of_an_evicted_model(hub, sizes):
    with cache() as weights_cache:
        fetch(weights_cache, RESNET)
    with cache(1) as weights_cache:
        weights_cache.trim()
    assert bytes_on_disk() == 0
    assert not list(Path(constants.HF_HUB_CACHE).glob("models--*"))
    assert entries() == []


USER = """
import sys
from pathlib import Path
from zoo_eval.models.published.ledger import Ledger
ledger = Ledger()
with ledger.change() as book:
    ledger.pin(Path(sys.argv[1]), book)
print("pinned", flush=True)
sys.stdin.read()
ledger.close()
"""


@pytest.mark.parametrize("end", ["close", "kill"])
def test_what_another_process_uses_stays_as_long_as_it_lives(sizes, end):
    with cache(max(sizes.values())) as weights_cache:
        path = weights_cache.hold(RESNET)
        other = start(USER, str(path))
        assert other.stdout.readline() == "pinned\n"
        weights_cache.release(path)
        with pytest.raises(BudgetError):
            weights_cache.hold(VIT)
        assert here(RESNET, VIT) == [True, False]
        if end == "kill":
            other.send_signal(signal.SIGKILL)
        other.communicate()
        weights_cache.hold(VIT)
        assert here(RESNET, VIT) == [False, True]


def start(code: str, *arguments: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=pipe, stdout=pipe, text=True
    )


def test_two_who_want_a_file_download_it_once(hub, sizes):
    hub.pace = 0.5
    with cache() as one, cache() as other, ThreadPoolExecutor(2) as threads:
        path, same = threads.map(lambda weights_cache: weights_cache.hold(RESNET), [one, other])
        assert path == same
        assert sorted([one.n_downloads, other.n_downloads]) == [0, 1]
        assert hub.methods.count("GET") == 1
        with Ledger().read() as book:
            assert len(book.pinners(path)) == 2
    with Ledger().read() as book:
        assert book.idle() == {path: sizes["test_resnet"]}


DOWNLOADER = """
from tests.models.hub_client import RESNET, cache
cache().hold(RESNET)
"""


def test_a_download_that_was_killed_in_the_middle_is_cleaned_up(hub, sizes):
    hub.faults["GET"].append(drip(100_000, 1.0))
    other = start(DOWNLOADER)
    deadline = time.monotonic() + 60
    while not partial_files() and time.monotonic() < deadline:
        time.sleep(0.05)
    other.kill()
    other.communicate()
    [entry] = entries()
    assert not entry.complete
    with cache(sizes["test_vit"]) as weights_cache:
        weights_cache.hold(VIT)  # there is room: the dead one's is none
    assert partial_files() == []
    assert here(RESNET, VIT) == [False, True]


def test_a_damaged_list_is_named_and_nothing_is_evicted(hub, sizes):
    with cache() as weights_cache:
        fetch(weights_cache, RESNET)
    path = Ledger().path
    path.write_bytes(b"no database")
    with cache(1) as weights_cache:
        message = refusal(weights_cache.trim)
        assert message == (
            f"The list of downloaded weights {path} cannot be used: file is not a database. If it "
            "is damaged, delete it: the weights stay, but are never evicted. ZOO_EVAL_CACHE names "
            "another folder."
        )
        path.unlink()
        weights_cache.trim()
    assert here(RESNET) == [True]
