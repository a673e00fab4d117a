"""What every test shares."""

import os

import pytest

from tests.parity import PARITY, write_table

# Two test processes share two cores, and workers of a run have threads. Threads that spin while
# they wait take the cores from those they wait for. Processes that tests start read this when
# they load OpenMP.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Files of half a minute or more. They are begun first, so that no process is left with one.
DEAR = (
    *("service/test_browser.py", "executors/test_faults.py", "scores/test_conformance.py"),
    *("test_runner.py", "report/pages/test_browser.py", "executors/test_ray.py"),
    *("executors/test_kills.py", "service/test_service_rankings.py", "ranking/test_race.py"),
    *("cli/test_cli.py", "test_kept.py", "test_driver.py"),
)


def pytest_addoption(parser):
    parser.addoption(
        "--parity-table",
        metavar="CSV",
        help="write what each score was compared with, and how far it was from it",
    )


def pytest_configure(config):
    config.stash[PARITY] = []


def pytest_collection_modifyitems(config, items):
    """Dear files come first; with `--parity-table` only the tests that compare are run."""
    first = {config.rootpath / "tests" / name for name in DEAR}
    items.sort(key=lambda item: item.path not in first)
    if config.getoption("--parity-table"):
        items[:] = [item for item in items if "parity" in getattr(item, "fixturenames", ())]


def pytest_sessionfinish(session):
    """Write the parity table; use `-p no:xdist`, the records of other processes are lost."""
    path, records = session.config.getoption("--parity-table"), session.config.stash[PARITY]
    if path and records:
        write_table(path, records)


@pytest.fixture(scope="session", autouse=True)
def decoded_images_cache(tmp_path_factory):
    """Decoded images of all tests go to one temporary folder, never to the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("ZOO_EVAL_CACHE", str(folder))
        yield folder


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A model hub on loopback, and empty caches; this process and its children know no others."""
    import huggingface_hub.constants
    import torch

    from tests.models.hub_server import HubServer

    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = HubServer()
    monkeypatch.setenv("ZOO_EVAL_CACHE", str(tmp_path / "zoo_eval"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    # The hub's client read the variables when it was imported.
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.endpoint)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    yield server
    server.close()
