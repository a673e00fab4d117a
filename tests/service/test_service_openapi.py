"""The OpenAPI document says what the service does: schemathesis tries to prove the opposite."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.conftest import fill, serving
from tests.service.service import in_thread
from zoo_eval.service import ServiceOptions


@pytest.fixture(scope="module")
def document(filled):
    with serving(ServiceOptions(filled, read_only=True)) as client:
        return client.get("/api/v1/openapi.json").json()


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_route_is_documented(document):
    found = dict(operations(document))
    assert len(found) == 22
    for name, operation in found.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert {"401", "421", "422", "429", "500"} <= operation["responses"].keys(), name
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (name, status)
            elif "application/json" in response.get("content", {}):
                assert response["content"]["application/json"]["schema"], (name, status)
        if "{" in name:
            assert "404" in operation["responses"], name
        if name.startswith("post"):
            assert {"403", "413"} <= operation["responses"].keys(), name
    assert "securitySchemes" not in document["components"]


def test_answers_have_examples(document):
    schemas = document["components"]["schemas"]
    for name in (
        "Page",
        "Correlations",
        "PredictionsAnswer",
        "Health",
        "Problem",
        "Submission",
        "RankingRequest",
        "ScoreLine",
    ):
        schema = schemas[name]
        inner = [each.get("examples") for each in schema.get("properties", {}).values()]
        assert schema.get("examples") or any(inner), name


def test_a_token_is_documented(filled):
    options = ServiceOptions(filled, token="x" * 16, read_only=True)
    headers = {"Authorization": f"Bearer {options.token}"}
    with serving(options, **headers) as client:
        found = client.get("/api/v1/openapi.json").json()
    assert found["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def attack(folder: Path, *arguments: str) -> None:
    """Send generated requests to every route, valid and not, and check every answer."""
    path = folder / "r.duckdb"
    fill(path)
    with in_thread(ServiceOptions(path, resamples=20, max_queued=0)) as address:
        done = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "run"),
                f"{address}/api/v1/openapi.json",
                # Streams do not end; test_service_live.py reads them.
                *("--exclude-path-regex", "/events$"),
                # Whether there is a column or an accuracy of a name no schema can say.
                *("--exclude-checks", "positive_data_acceptance"),
                *("--generation-database", "none", "--no-color", *arguments),
            ],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout
    assert "Tested: 19" in done.stdout


def test_generated_requests(tmp_path):
    attack(tmp_path, "--phases", "examples,fuzzing", "--max-examples", "5", "--seed", "1")


@pytest.mark.slow
def test_many_generated_requests(tmp_path):
    attack(tmp_path, "--max-examples", "100")
