"""The service follows its store."""

import time

from tests.service.conftest import MODELS, begin, fill, outcome, serving
from zoo_eval import Store
from zoo_eval.service import ServiceOptions
from zoo_eval.service.live import Live
from zoo_eval.store.lock import one_run, run_in_progress

API = "/api/v1"


def wait_for(condition, seconds: float = 60.0):
    give_up = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    return found


def test_a_store_that_is_not_there_yet_is_served_empty(tmp_path):
    path = tmp_path / "later.duckdb"
    with serving(ServiceOptions(path, read_only=True)) as client:
        assert client.get(f"{API}/health").json()["models"] == 0
        for address in ("models", "values"):
            assert client.get(f"{API}/{address}").json()["rows"] == []
            assert client.get(f"{API}/{address}?format=parquet").status_code == 200
        assert client.get(f"{API}/scores").json()["scores"] == []
        assert client.get(f"{API}/runs").json()["runs"] == []
        assert client.get(f"{API}/correlations").status_code == 422
        assert not path.exists()
        fill(path)
        wait_for(lambda: client.get(f"{API}/health").json()["models"] == 6)
        assert client.get(f"{API}/models").json()["total"] == 6
        assert [run["state"] for run in client.get(f"{API}/runs").json()["runs"]] == ["done"]


def test_a_run_that_has_stored_nothing_yet_is_no_error(tmp_path):
    store = Store(tmp_path / "r.duckdb")
    begin(store, "r")
    live = Live(store)
    live.refresh()
    assert live.error == ""
    assert live.snapshot.data is None
    assert len(live.activity.runs) == 1


def test_what_is_stored_is_seen_and_correlations_follow(tmp_path):
    path = tmp_path / "r.duckdb"
    store = fill(path)
    with serving(ServiceOptions(path, read_only=True, resamples=20)) as client:

        def correlations():
            response = client.get(f"{API}/correlations")
            return response if response.status_code == 200 else None

        before = wait_for(correlations)
        tag = client.get(f"{API}/models").headers["etag"]
        begin(store, "r2")
        store.commit("r2", outcome("last", 5))
        changed = wait_for(lambda: client.get(f"{API}/models").headers["etag"] != tag)
        assert changed
        wait_for(lambda: client.get(f"{API}/models/last").json()["scores"][0]["value"] is not None)
        # Until the new ones are there, the old ones say of when they are.
        between = correlations()
        assert between is not None
        if not between.json()["current"]:
            assert between.headers["x-computed-from"] == before.headers["x-computed-from"]
        wait_for(lambda: (found := correlations()) and found.json()["current"])
        after = {row["score"]: row["n"] for row in correlations().json()["rows"]}
        assert after["naswot"] == 6


def test_nothing_is_read_while_nothing_changes(tmp_path, monkeypatch):
    path = tmp_path / "r.duckdb"
    fill(path)
    live = Live(Store(path))
    live.refresh()
    first = live.snapshot
    monkeypatch.setattr("zoo_eval.service.snapshot.collect", None)
    live.refresh()
    assert live.snapshot is first


def test_whether_a_run_is_in_progress(tmp_path):
    store = fill(tmp_path / "r.duckdb")
    assert not run_in_progress(store)
    with one_run(store):
        assert run_in_progress(store)
        assert run_in_progress(store)  # looking does not end it
    assert not run_in_progress(store)
    lock = tmp_path / "r.duckdb.lock"
    lock.touch()  # as a killed run leaves it
    assert not run_in_progress(store)
    assert not lock.exists()


def test_a_terminals_run_is_shown(tmp_path):
    store = fill(tmp_path / "r.duckdb")
    begin(store, "r2", "by hand")
    store.commit("r2", *(outcome(name, place) for place, name in enumerate(MODELS[:2])))

    def run(client) -> dict:
        client.app.state.live.refresh()
        return client.get(f"{API}/runs/r2").json()

    with serving(ServiceOptions(store.path)) as client:
        with one_run(store):
            found = run(client)
            assert (found["source"], found["state"], found["name"]) == (
                *("terminal", "running", "by hand"),
            )
            progress = found["progress"]
            assert (progress["done"], progress["failed"], progress["left"]) == (2, 0, None)
            for what in ("cancel", "retry"):
                refused = client.post(f"{API}/runs/r2/{what}")
                assert refused.status_code == 409
                assert "was started in a terminal" in refused.json()["detail"]
        assert run(client)["state"] == "interrupted"  # it was killed: nobody holds the store
        failures = client.get(f"{API}/runs/r1").json()["failures"]
        assert [row["model"] for row in failures] == ["last"]
        assert failures[0]["traceback"] == "Traceback: in its network"
        assert client.get(f"{API}/runs/r1/log").text == ""
