"""`zoo-eval fetch`, and the run after it, which asks nobody."""

import csv
import json
import sys
from pathlib import Path

import pytest

import zoo_eval
from tests.zoo import write_job
from zoo_eval.cli import main

NAMES = ("test_resnet", "test_vit", "test_byobnet")


@pytest.fixture
def job(hub, tmp_path) -> Path:
    """Three published networks."""
    path = tmp_path / "manifest.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["model", "family", "label_space", "image_size", "source"])
        for name in NAMES:
            hub.publish_model(name)
            writer.writerow([f"{name}.r160_in1k", "tests", "imagenet-1k", "32", "made for a test"])
    return write_job(tmp_path, path, scores='["params", "l2_norm"]')


def call(monkeypatch, capsys, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["zoo-eval", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return ended.value.code or 0, captured.out, captured.err


def test_fetch_and_then_a_run_without_any_request(hub, job, tmp_path, monkeypatch, capsys):
    code, out, err = call(monkeypatch, capsys, "fetch", job, "--check")
    assert (code, out) == (2, "")
    assert err == (
        "zoo-eval: The weights of 3 models are not on this machine: test_resnet.r160_in1k, "
        "test_vit.r160_in1k, test_byobnet.r160_in1k. `zoo-eval fetch JOB` downloads them.\n"
    )
    assert hub.requests == []
    code, out, err = call(monkeypatch, capsys, "fetch", job)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "[1/3] test_resnet.r160_in1k: 1.90 MB",
        "[2/3] test_vit.r160_in1k: 1.47 MB",
        "[3/3] test_byobnet.r160_in1k: 1.85 MB",
        "The weights of 3 of 3 models are here; 3 files, 5.21 MB, were downloaded.",
    ]
    hub.requests.clear()
    code, out, err = call(monkeypatch, capsys, "fetch", job, "--check")
    assert (code, out, err) == (0, "The weights of all 3 models are here.\n", "")
    summary = zoo_eval.run(job, tmp_path / "r.duckdb", workers=1)
    assert (summary.n_ok, summary.n_failed) == (6, 0)
    assert hub.requests == []


def test_a_full_budget_is_no_failure_and_what_fails_is_named(hub, job, monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "fetch", job, "--weights-budget", "3MB")
    assert code == 0
    assert "Stopped before test_vit.r160_in1k: 1.47 MB of weights find no room" in out
    assert out.endswith("were downloaded; 2 are left for the run.\n")
    del hub.repositories["timm/test_vit.r160_in1k"]
    code, out, _ = call(monkeypatch, capsys, "fetch", job, "--json")
    assert code == 3
    report = json.loads(out)
    assert list(report["failed"]) == ["test_vit.r160_in1k"]
    del report["failed"]
    assert report == {"models": 3, "here": 2, "downloaded": 1, "downloaded_bytes": 1847040}


def test_limit_and_a_wrong_size(job, monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "fetch", job, "--limit", 1)
    assert code == 0
    assert "[1/1] test_resnet.r160_in1k: 1.90 MB" in out
    code, out, err = call(monkeypatch, capsys, "fetch", job, "--weights-budget", "lots")
    assert (code, out) == (2, "")
    assert err == "zoo-eval: A size such as 20GB or 500MiB is needed, not 'lots'.\n"


def test_a_job_without_published_weights(monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "fetch", "quickstart")
    assert code == 0
    assert out == "Nothing to fetch: the job needs no published weights.\n"
