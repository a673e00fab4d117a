"""The real service with real runs: progress, cancel, restart, retry."""

import pandas as pd
import pytest

from tests.service.service import Service
from tests.zoo import write_job, write_zoo
from zoo_eval import Store

N_MODELS = 60


@pytest.fixture(scope="module")
def toml(tmp_path_factory) -> str:
    """A job of 60 tiny networks, each on two kinds of weights."""
    folder = tmp_path_factory.mktemp("zoo")
    return write_job(folder, write_zoo(folder, N_MODELS)).read_text()


def folder_of(toml: str) -> str:
    return toml.split('"')[1].removesuffix("/manifest.csv")


@pytest.mark.slow  # test_browser.py follows and cancels one in a browser
def test_a_run_is_followed_and_cancelled(toml, tmp_path):
    path = tmp_path / "r.duckdb"
    with Service(path, "--allow", folder_of(toml)) as service:
        run = service.post("runs", toml=toml, workers=1)["id"]
        states: list[str] = []
        for name, seen in service.events(f"runs/{run}/events"):
            assert name == "run"
            states.append(seen["state"])
            if seen["progress"] and seen["progress"]["done"] and states[-1] == "running":
                service.post(f"runs/{run}/cancel")
        assert states[-1] == "cancelled"
        assert set(states) <= {"queued", "running", "cancelling", "cancelled"}
        stored = len(Store(path).attempts())  # the networks underway were stored, too
        assert 0 < stored < 2 * N_MODELS
        service.wait(lambda: service.get(f"runs/{run}")["progress"]["done"] == stored)
        assert service.get(f"runs/{run}")["progress"]["left"] == 2 * N_MODELS - stored
        assert "Interrupted: " in service.get(f"runs/{run}")["log"]


@pytest.mark.slow
def test_a_run_survives_a_restart_and_what_is_stored_stays(toml, tmp_path):
    path = tmp_path / "r.duckdb"
    allow = ("--allow", folder_of(toml))
    with Service(path, *allow) as service:
        run = service.post("runs", name="long", toml=toml, workers=1)["id"]
        short = service.post("runs", name="short", toml=toml, workers=1, limit=1)["id"]
        for name, seen in service.events(f"runs/{run}/events"):
            assert name == "run"
            # The log says first how far it is; how fast, only the store does.
            if seen["progress"] and seen["progress"]["seconds_left"] is not None:
                break
        assert seen["state"] == "running"
        assert seen["progress"]["done"] + seen["progress"]["left"] == 2 * N_MODELS
        assert seen["progress"]["seconds_left"] > 0
        assert seen["store_run"] is not None
        assert service.get(f"runs/{short}")["state"] == "queued"
        printed = service.end()
        assert printed == ""

    with Service(path, *allow) as service:  # the run went on meanwhile, and is found
        before = service.get(f"runs/{run}")
        assert before["state"] == "running"
        first = before["progress"]["done"]
        service.wait(lambda: service.get(f"runs/{run}")["progress"]["done"] > first)
        assert service.get("health")["running"]
        assert service.post(f"runs/{run}/cancel")["state"] == "cancelling"
        service.wait(lambda: service.get(f"runs/{run}")["state"] == "cancelled")
        ended = service.get(f"runs/{run}")
        assert "Interrupted: " in ended["log"]
        stored = Store(path).attempts()
        done = stored[stored["run"] == ended["store_run"]]
        assert first < len(done) < 2 * N_MODELS
        states = Store(path).runs().set_index("run")["state"]
        assert states[ended["store_run"]] == "interrupted"

        # The queue goes on; what the cancelled run has stored is there, so nothing is left to do.
        service.wait(lambda: service.get(f"runs/{short}")["state"] == "done")
        assert service.get(f"runs/{short}")["exit_code"] == 0
        log = service.client.get(f"/api/v1/runs/{short}/log").text
        assert "Nothing to do" in log or "[2/2]" in log
        again = service.post(f"runs/{run}/retry")["id"]
        service.wait(lambda: service.get(f"runs/{again}")["state"] == "done")
        assert "Nothing to try again." in service.get(f"runs/{again}")["log"]

        values = Store(path).scores()
        service.wait(lambda: service.get("health")["values"] == len(values))
        page = service.get("values?size=10000")
        assert pd.DataFrame(page["rows"])["value"].notna().sum() == values["value"].notna().sum()
