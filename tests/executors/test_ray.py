"""Runs on a real cluster of two Ray nodes, which are sets of processes on this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.faults import write_faulty_job, write_faulty_scores
from tests.zoo import write_job, write_zoo
from zoo_eval import Store

pytest.importorskip("ray")

from ray.cluster_utils import Cluster

ROOT = Path(__file__).parents[2]
KEY = ["model", "weights", "seed", "dataset", "score", "options", "version", "fingerprint"]
NODE = {"num_cpus": 1, "memory": 3 * 10**9, "object_store_memory": 80 * 10**6}
# One thread in each of two workers, as on a node with one processor; imports from this checkout.
TWO_CORES = {"LOKY_MAX_CPU_COUNT": "2", "PYTHONPATH": str(ROOT)}


def values(store: Store) -> pd.DataFrame:
    frame = store.sql(f"SELECT {', '.join(KEY)}, value, undefined_because FROM scores")
    return frame.sort_values(KEY).reset_index(drop=True)


def start(
    job: Path, store: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.Popen:
    command = (sys.executable, "-m", "zoo_eval", "run", str(job), "--store", str(store))
    return subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **TWO_CORES, **(environment or {})},
    )


def on(cluster: Cluster) -> tuple[str, ...]:
    return ("--executor", "ray", "--address", cluster.address)


def end(run: subprocess.Popen, code: int = 0) -> str:
    output, errors = run.communicate(timeout=240)
    assert run.returncode == code, output + errors
    assert errors == ""
    return output


def wait_for(condition: Callable[[], object], run: subprocess.Popen) -> None:
    give_up_at = time.monotonic() + 240
    while not condition():
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


@pytest.fixture(scope="module")
def search(tmp_path_factory) -> str:
    """Where Python looks for modules on all nodes: this checkout, and scores that misbehave."""
    package = write_faulty_scores(tmp_path_factory.mktemp("package") / "faulty")
    return f"{package}{os.pathsep}{ROOT}"


@pytest.fixture(scope="module")
def cluster(search) -> Iterator[Cluster]:
    """The head node, which has one processor and this machine's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in TWO_CORES.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", search)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        head = {**NODE, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        yield cluster
        cluster.shutdown()


@contextmanager
def second_node(cluster: Cluster, cache: Path) -> Iterator[Callable[[], None]]:
    """A node with a cache folder of its own; gives what kills it."""
    node = cluster.add_node(**NODE, env_vars={"ZOO_EVAL_CACHE": str(cache)})

    def kill() -> None:
        cluster.remove_node(node, allow_graceful=False)

    yield kill
    if node in cluster.list_all_nodes():
        cluster.remove_node(node)


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zoo")
    return write_job(folder, write_zoo(folder, 8))


@pytest.fixture(scope="module")
def local(job) -> Store:
    """The store after a run on this machine."""
    store = Store(job.with_name("local.duckdb"))
    end(start(job, store.path, "--workers", "2"))
    return store


def workers_of_node(cache: Path) -> list[psutil.Process]:
    """Worker processes whose cache folder this is: those that networks run in."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            own = "multiprocessing.forkserver" in " ".join(process.cmdline())
            if own and process.environ().get("ZOO_EVAL_CACHE") == str(cache):
                found.append(process)
    return [process for process in found if process.parent() in found]  # not what they copy


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


def test_the_rows_are_those_of_a_local_run(cluster, job, tmp_path):
    """Of a few networks; the longer tests below have all of them."""
    few = ("--limit", "2")
    here, store = Store(tmp_path / "here.duckdb"), Store(tmp_path / "r.duckdb")
    end(start(job, here.path, *few, "--workers", "1"))
    assert "4 networks evaluated, 0 failed" in end(start(job, store.path, *few, *on(cluster)))
    pd.testing.assert_frame_equal(values(store), values(here))


@pytest.mark.slow
def test_from_outside_the_cluster(cluster, job, local, tmp_path, free_port):
    """Through Ray's client server, as `ray start --head` starts one."""
    server = (sys.executable, "-m", "ray.util.client.server", "--address", cluster.address)
    store = Store(tmp_path / "r.duckdb")
    process = subprocess.Popen([*server, "--port", str(free_port)])
    try:
        wait_for(lambda: listens(free_port), process)
        address = f"ray://127.0.0.1:{free_port}"
        output = end(start(job, store.path, "--executor", "ray", "--address", address))
    finally:
        process.terminate()
        process.wait(timeout=60)
    assert "16 networks evaluated, 0 failed" in output
    pd.testing.assert_frame_equal(values(store), values(local))


@pytest.mark.slow
def test_a_node_is_lost_in_the_middle_of_a_network(cluster, job, local, tmp_path):
    store, cache = Store(tmp_path / "r.duckdb"), tmp_path / "cache"
    with second_node(cluster, cache) as kill:
        run = start(job, store.path, *on(cluster))
        # Its worker has got the images by now, and its first network is under way.
        wait_for(lambda: [*cache.glob("resized/*")], run)
        kill()
        output = end(run)
    assert "16 networks evaluated, 0 failed" in output
    assert "tried again" not in output
    assert store.attempts()["outcome"].tolist() == ["ok"] * 16
    pd.testing.assert_frame_equal(values(store), values(local))


@pytest.mark.slow
def test_a_worker_is_killed_and_so_is_the_process_that_watches_another(
    cluster, job, local, tmp_path
):
    """The first may be the network's fault, the second never is."""
    store, cache = Store(tmp_path / "r.duckdb"), tmp_path / "cache"
    with second_node(cluster, cache):
        run = start(job, store.path, *on(cluster))
        wait_for(lambda: [*cache.glob("resized/*")], run)
        first = workers_of_node(cache)
        first[0].kill()
        wait_for(lambda: len(store.done()) >= 10, run)
        wait_for(lambda: set(workers_of_node(cache)) - set(first), run)
        (second,) = set(workers_of_node(cache)) - set(first)
        second.parent().parent().kill()  # not what it is a copy of
        output = end(run)
    assert "16 networks evaluated, 0 failed" in output
    attempts = store.attempts()
    assert attempts["outcome"].value_counts().to_dict() == {"ok": 16, "killed": 1}
    (message,) = attempts.loc[attempts["outcome"] == "killed", "message"]
    assert "ended by SIGKILL" in message
    assert "(on node " in message
    assert not second.is_running()
    pd.testing.assert_frame_equal(values(store), values(local))


@pytest.mark.slow
def test_the_driver_is_killed_and_run_again(cluster, job, local, tmp_path):
    store, cache = Store(tmp_path / "r.duckdb"), tmp_path / "cache"
    with second_node(cluster, cache):
        first = start(job, store.path, *on(cluster))
        wait_for(lambda: len(store.done()) >= 10, first)
        first.kill()
        first.communicate()
        stored = len(store.attempts())
        give_up_at = time.monotonic() + 60
        while workers_of_node(cache):
            assert time.monotonic() < give_up_at, "workers outlive their driver"
            time.sleep(0.2)
        end(start(job, store.path, *on(cluster)))
    assert 0 < stored < 16
    assert store.attempts()["outcome"].tolist() == ["ok"] * 16
    pd.testing.assert_frame_equal(values(store), values(local))


@pytest.mark.slow
def test_every_fault_is_told_from_the_others(cluster, search, tmp_path):
    job = write_faulty_job(tmp_path / "zoo")
    store = Store(tmp_path / "r.duckdb")
    limits = ("--time-limit", "15", "--memory-limit", "1500MB")
    end(start(job, store.path, *on(cluster), *limits, environment={"PYTHONPATH": search}), code=3)
    failures = store.failures().set_index("model")["outcome"]
    assert failures.to_dict() == {
        "test_convnext.s1": "killed",
        "test_efficientnet.s2": "killed",
        "test_byobnet.s3": "timeout",
        "test_vit.s4": "out_of_memory",
        "test_convnext2.s7": "error",
    }
    # One score's fault loses none of the others.
    counts = store.scores().groupby("model").size()
    assert (counts.drop(failures.index) == 3).all()
    assert (counts[failures.index] == 2).all()
    assert len(counts) == 8


def test_nobody_answers(job, tmp_path):
    run = start(job, tmp_path / "r.duckdb", "--executor", "ray", "--address", "127.0.0.1:1")
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 2
    assert "There is no Ray cluster at 127.0.0.1:1: " in errors
    assert "Traceback" not in errors
