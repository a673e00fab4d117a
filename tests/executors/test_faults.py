"""Scores that end, hang or fill a worker, in a real run: what is kept, and what the user sees."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.faults import FAULTS, write_faulty_job, write_faulty_scores
from zoo_eval import Store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and memory of Linux")

EXPECTED = {
    "nothing": ["ok"],
    "print": ["ok"],
    "fork": ["ok"],
    "raise": ["error"],
    # Twice, and once more without the score that does it.
    "exit": ["killed", "killed", "killed"],
    "crash": ["killed", "killed", "killed"],
    "hang": ["timeout", "timeout"],
    # Down the ladder: as asked, / 2, / 8, bf16, and then without the score.
    "eat": ["out_of_memory"] * 5,
}
MESSAGES = {
    "exit": "ended itself with exit code 7 during fault",
    "crash": "ended by SIGSEGV during fault: native code crashed",
    "hang": "Stopped after 10 s, the time limit, during fault",
    "eat": "ran out of memory during fault: it passed 1.2 GB",
    "raise": "fault: no good",
}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    write_faulty_scores(folder / "plugin")
    write_faulty_job(folder / "zoo")
    return folder


def zoo_eval(zoo: Path, *arguments: str) -> subprocess.CompletedProcess:
    path = os.pathsep.join([str(zoo / "plugin"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "zoo_eval", *arguments, "--store", str(zoo / "r.duckdb")],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def finished(zoo) -> subprocess.CompletedProcess:
    limits = ("--time-limit", "10", "--memory-limit", "1.2GB", "--workers", "2")
    return zoo_eval(zoo, "run", str(zoo / "zoo" / "job.toml"), *limits)


@pytest.fixture
def attempts(zoo, finished) -> pd.DataFrame:
    frame = Store(zoo / "r.duckdb").attempts()
    return frame.assign(fault=frame["model"].str.partition(".")[0].map(FAULTS))


def test_each_fault_has_its_own_outcome(attempts):
    assert attempts.groupby("fault")["outcome"].agg(list).to_dict() == EXPECTED
    last = attempts.groupby("fault").last()
    for fault, text in MESSAGES.items():
        assert text in last["message"][fault]
    relief = attempts.loc[attempts["fault"] == "eat", "relief"].fillna("none")
    assert relief.tolist()[:4] == [
        "none",
        "batch size / 2",
        "batch size / 8",
        "batch size / 8, bf16",
    ]


def test_a_score_that_ends_its_worker_loses_no_other_score(zoo, finished):
    stored = Store(zoo / "r.duckdb").scores().groupby("score").size().to_dict()
    good = sum(EXPECTED[fault] == ["ok"] for fault in FAULTS.values())
    assert stored == {"params": len(FAULTS), "knn_accuracy": len(FAULTS), "fault": good}


def test_what_a_person_sees(zoo, finished):
    assert finished.returncode == 3
    assert "Traceback" not in finished.stdout + finished.stderr
    assert len(finished.stdout) < 10_000, "the megabytes that a score printed come through"
    assert "Done: 3 networks evaluated, 5 failed" in finished.stdout
    aside = next(line for line in finished.stdout.splitlines() if line.startswith("Set aside"))
    assert {"test_convnext.s1", "test_efficientnet.s2"} == set(
        aside.partition(": ")[2].rstrip(".").split(", ")
    )
    status = zoo_eval(zoo, "status")
    assert all(text in status.stdout for text in MESSAGES.values())


def test_no_process_is_left(zoo, finished):
    for process in psutil.process_iter(["environ"]):
        path = (process.info["environ"] or {}).get("PYTHONPATH", "")
        assert str(zoo / "plugin") not in path, f"{process} is still there"


def test_what_failed_is_tried_again_only_when_asked(zoo, finished):
    job = str(zoo / "zoo" / "job.toml")
    before = len(Store(zoo / "r.duckdb").attempts())
    again = zoo_eval(zoo, "run", job)
    assert again.returncode == 3
    assert "5 networks that failed before" in again.stdout
    assert f"zoo-eval retry {job}" in again.stdout
    assert len(Store(zoo / "r.duckdb").attempts()) == before
    retried = zoo_eval(zoo, "retry", job, "--type", "error")
    assert retried.returncode == 3
    added = Store(zoo / "r.duckdb").attempts()[before:]
    assert added["model"].tolist() == ["test_convnext2.s7"]
    assert added["outcome"].tolist() == ["error"]
