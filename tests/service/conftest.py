"""Services over small stores that hold every kind of row, hostile names among them."""

import json
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.service.browsing import chromium
from zoo_eval.service import ServiceOptions, create_app
from zoo_eval.store import (
    Attempt,
    DatasetRow,
    ModelRow,
    Outcome,
    RunRow,
    ScoreKey,
    ScoreRow,
    Store,
    Trust,
)

NOON = datetime(2026, 1, 1, 12)
HOSTILE = "<script>alert(1)</script>/../..%?q=1#\"';--\u202e"
MODELS = ("net.a", "net.b", "other.a", "d|odd", HOSTILE, "last")
FAMILIES = ("net", "net", "other", "odd", "=1+1", "last")
TOP1 = (0.70, 0.80, 0.75, 0.60, 0.85, 0.65)
RUN = "r1"
DATASET = "fashion@1a2b3c4d"


def model(name: str, family: str, top1: float, place: int) -> ModelRow:
    accuracies = (("fashion", "top1", top1),)
    if place < 5:
        accuracies += (("real", "top1", top1 - 0.1),)
    return ModelRow(
        *(name, family, 1000 * (place + 1), None, None, 28, "none" if place % 2 else None, None),
        *("apache-2.0", "fashion-mnist", json.dumps({"model": name}), accuracies, "a test"),
    )


def outcome(name: str, place: int, shift: float = 0.0) -> Outcome:
    def row(score: str, value: float | None, weights: str, why: str | None = None) -> ScoreRow:
        key = ScoreKey(name, weights, 0, DATASET, score, "{}", 1, "f")
        return ScoreRow(key, value, why, 0.5)

    rows = (
        row("naswot", place + shift, "init"),
        row("knn_accuracy", None if place == 2 else 0.5 + place / 100, "pretrained", "one class")
        if place == 2
        else row("knn_accuracy", 0.5 + place / 100 + shift, "pretrained"),
        row("ntk_condition", 10.0 - place + shift, "init"),
    )
    trust = Trust(name, DATASET, 0.7, 0.9, 100, 0.6, 0.8) if place == 0 else None
    return Outcome(Attempt(name, "init", 0, NOON, 0.1), rows, trust)


def begin(store: Store, run: str, job: str = "quickstart") -> None:
    rows = [model(*facts, i) for i, facts in enumerate(zip(MODELS, FAMILIES, TOP1, strict=True))]
    noted = RunRow(run, job, "manifest = 'x'", f"zoo-eval run {job}", NOON, None, "{}", "here")
    store.begin_run(noted, rows, DatasetRow(DATASET, "fashion", "1a2b3c4d", 10, 10, "{}"))


def fill(path: Path) -> Store:
    """A store of six models; one of them failed."""
    store = Store(path)
    begin(store, RUN)
    store.commit(RUN, *(outcome(name, place) for place, name in enumerate(MODELS[:5])))
    message, trace = f"broken by {HOSTILE}", "Traceback: in its network"
    failed = Attempt("last", "init", 0, NOON, 0.1, "error", None, None, "E", message, trace)
    store.commit(RUN, Outcome(failed))
    store.end_run(RUN, "done")
    return store


@pytest.fixture(scope="session")
def filled(tmp_path_factory) -> Path:
    """A store that no test changes."""
    path = tmp_path_factory.mktemp("service") / "r.duckdb"
    fill(path)
    return path


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@contextmanager
def serving(options: ServiceOptions, **headers: str):
    """A client of a service; a failure of the service is an answer, as it is for its users."""
    application = create_app(options)
    with TestClient(
        application,
        base_url="http://localhost",
        raise_server_exceptions=False,
        headers=headers,
        follow_redirects=False,
        client=("127.0.0.1", 50000),
    ) as client:
        yield client


@pytest.fixture(scope="session")
def client(filled):
    with serving(ServiceOptions(filled, read_only=True, resamples=50)) as client:
        yield client


@pytest.fixture
def writable(tmp_path):
    """A service that takes jobs, over a store that does not exist yet."""
    with serving(ServiceOptions(tmp_path / "new.duckdb", allowed=(tmp_path / "ok",))) as client:
        yield client


def problem_of(response, status: int) -> str:
    """The detail of a refusal, once it is seen to be one as RFC 9457 has them."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert {"type", "title", "status", "detail", "instance"} <= found.keys()
    assert found["status"] == status
    assert "Traceback" not in response.text
    return found["detail"]
