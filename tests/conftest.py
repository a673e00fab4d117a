"""What every test shares."""

import pytest

from tests.parity import PARITY, write_table


def pytest_addoption(parser):
    parser.addoption(
        "--parity-table",
        metavar="CSV",
        help="write what each score was compared with, and how far it was from it",
    )


def pytest_configure(config):
    config.stash[PARITY] = []


def pytest_collection_modifyitems(config, items):
    """With `--parity-table` only the tests that compare are run."""
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
