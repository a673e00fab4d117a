"""The queue: what is accepted, in which order, and what outlives the service."""

import os
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.service.conftest import problem_of, serving
from tests.service.test_service_snapshot import wait_for
from tests.zoo import write_job, write_zoo
from zoo_eval import Store
from zoo_eval.errors import JobError, StoreError, ZooEvalError
from zoo_eval.job import Job
from zoo_eval.service import ServiceOptions
from zoo_eval.service.jobs import Jobs
from zoo_eval.service.queue import JobQueue
from zoo_eval.service.submission import check_job
from zoo_eval.store.lock import one_run

RUNS = "/api/v1/runs"
GOOD = 'manifest = "fashion"\nscores = ["params"]\ndataset = "fashion"\n'
SECRET = "root:x:0:0:password"


@pytest.fixture
def allowed(tmp_path) -> Path:
    folder = tmp_path / "ok"
    write_zoo(folder, 1)
    return folder


def job_of(manifest: object = "fashion", source: object = "fashion") -> str:
    return f"manifest = '{manifest}'\nscores = ['params']\n[dataset]\nsource = '{source}'\n"


@pytest.mark.parametrize(
    "toml",
    [
        "",
        "x",
        GOOD + "sed = 1",
        GOOD.replace("params", "parms"),
        GOOD.replace("fashion", "nosuch", 1),
        GOOD + "where = 'nosuch > 1'",
        GOOD + "where = \"model IN (SELECT content FROM read_text('/etc/passwd'))\"",
        GOOD + "seeds = []",
        "manifest = 1",
    ],
)
def test_a_wrong_job_is_refused_as_by_the_command_line(writable, tmp_path, toml):
    path = tmp_path / "mine.toml"
    path.write_text(toml)
    with pytest.raises(ZooEvalError) as refused:
        Job.load(path)
    response = writable.post(RUNS, json={"name": "mine", "toml": toml})
    expected = str(refused.value).replace(str(path), "mine.toml")
    if "nosuch'" in expected and "where" not in toml:  # it might be a path, and of whom?
        expected = "mine.toml: manifest = 'nosuch' is neither builtin nor a full path inside the"
        expected += f" allowed folders ({tmp_path / 'ok'})."
    assert problem_of(response, 422) == expected
    assert not (tmp_path / "new.jobs").exists()


@pytest.mark.parametrize("name", ["", "a/b", "../x", ".hidden", "a b", "a\n", "ü", "x" * 65, 1])
def test_a_jobs_name_is_no_path(writable, name):
    problem_of(writable.post(RUNS, json={"name": name, "toml": GOOD}), 422)


def test_builtin_and_allowed_paths_are_accepted(allowed):
    for manifest in ("fashion", allowed, allowed / "manifest.csv", f"{allowed}/./manifest.csv"):
        assert check_job("x", job_of(manifest), [allowed]).scores
    # Images are looked for when the job is run.
    assert check_job("x", job_of(source=allowed / "images"), [allowed]).dataset.source


def test_other_paths_are_refused_unread(allowed, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text(SECRET)
    (allowed / "link.csv").symlink_to(secret)
    (allowed / "loop").symlink_to(allowed / "loop")
    (allowed / "up").symlink_to(tmp_path)
    outside = [
        *(secret, allowed / ".." / "secret.csv", allowed / "link.csv", allowed / "loop"),
        *(allowed / "up" / "secret.csv", "/etc/passwd", "../secret.csv", "secret.csv"),
        *(f"{tmp_path}/ok2", "file:///etc/passwd", "s3://bucket/x", "~/x", "/proc/self/environ"),
    ]
    for path in outside:
        for toml in (job_of(manifest=path), job_of(source=path)):
            with pytest.raises(JobError, match="is neither builtin nor a full path") as refused:
                check_job("x", toml, [allowed])
            assert SECRET not in str(refused.value)
    with pytest.raises(JobError, match=r"folders \(none; `zoo-eval serve --allow FOLDER` adds one"):
        check_job("x", job_of(allowed), [])
    with pytest.raises(JobError, match="is neither builtin"):
        check_job("x", job_of().replace("'fashion'", '"a\\u0000b"'), [allowed])


def test_weights_outside_are_refused(allowed, tmp_path):
    weights = next(allowed.glob("*.safetensors"))
    weights.rename(tmp_path / "w.safetensors")
    weights.symlink_to(tmp_path / "w.safetensors")
    with pytest.raises(JobError, match=r"weights_file of test_resnet\.s0"):
        check_job("x", job_of(allowed), [allowed])
    assert check_job("x", job_of(allowed), [allowed, tmp_path]).scores


def test_jobs_wait_their_turn_and_are_cancelled(tmp_path):
    options = ServiceOptions(tmp_path / "r.duckdb", max_queued=2)
    with one_run(Store(options.store)), serving(options) as client:  # so that none begins
        first = client.post(RUNS, json={"name": "a", "toml": GOOD, "limit": 1, "workers": 1})
        assert first.status_code == 201
        assert first.json()["state"] == "queued"
        job = first.json()["id"]
        client.post(RUNS, json={"name": "b", "toml": GOOD})
        response = client.post(RUNS, json={"name": "c", "toml": GOOD})
        assert problem_of(response, 429).startswith("2 jobs wait already")
        assert [run["name"] for run in client.get(RUNS).json()["runs"]] == ["b", "a"]
        detail = client.get(f"{RUNS}/{job}").json()
        assert detail["toml"] == GOOD
        assert detail["failures"] == []
        refused = client.post(f"{RUNS}/{job}/retry")
        assert problem_of(refused, 409) == f"Run {job} is queued; wait until it has ended."
        cancelled = client.post(f"{RUNS}/{job}/cancel")
        assert cancelled.status_code == 202
        assert cancelled.json()["state"] == "cancelled"
        refused = client.post(f"{RUNS}/{job}/cancel")
        assert problem_of(refused, 409) == f"Run {job} is cancelled; there is nothing to cancel."
        lines = client.get(f"{RUNS}/{job}/events").text.splitlines()
        assert lines[0] == "event: run"
        assert '"state":"cancelled"' in lines[1]
        again = client.post(f"{RUNS}/{job}/retry").json()
        assert (again["kind"], again["state"], again["name"]) == ("retry", "queued", "a")
    with serving(ServiceOptions(options.store, read_only=True)) as client:
        states = {run["name"]: run["state"] for run in client.get(RUNS).json()["runs"][1:]}
        assert states == {"b": "queued", "a": "cancelled"}
        assert 'zoo_eval_jobs{state="queued"} 2.0' in client.get("/api/v1/metrics").text


def test_one_service_carries_out_the_queue(tmp_path):
    path = tmp_path / "deep" / "r.duckdb"
    with serving(ServiceOptions(path)):
        other = Jobs(Store(path), JobQueue(path.with_name("r.jobs")))
        with pytest.raises(StoreError, match="Another service carries out the jobs of"):
            other.start()
    other.start()
    other.stop()


@pytest.fixture
def queue(tmp_path) -> JobQueue:
    return JobQueue(tmp_path / "r.jobs")


def test_a_job_whose_process_is_gone_is_queued_again(queue, tmp_path):
    job = queue.submit("a", "x", [], "run")
    # The number is in use, but by a process that began at another time.
    assert queue.started(job.id, os.getpid(), 0.0)
    jobs = Jobs(Store(tmp_path / "r.duckdb"), queue)
    jobs._step()
    assert queue.next() == queue.get(job.id)
    jobs._step()
    found = queue.get(job.id)
    assert found is not None
    assert found.state == "running"
    process = psutil.Process(found.pid)
    assert process.pid != os.getpid()
    jobs.cancel(job.id)
    wait_for(lambda: jobs._step() or queue.get(job.id).state == "cancelled")


def test_a_process_of_an_earlier_service_is_found_and_ended(queue, tmp_path):
    # Its parent ends at once, as the service that started it has.
    shell = ["sh", "-c", "sleep 1000 > /dev/null 2>&1 & echo $!"]
    process = psutil.Process(int(subprocess.check_output(shell, text=True)))
    job = queue.submit("a", GOOD, [], "run")
    assert queue.started(job.id, process.pid, process.create_time())
    jobs = Jobs(Store(tmp_path / "r.duckdb"), queue)
    jobs._step()
    assert queue.get(job.id).state == "running"
    assert jobs.cancel(job.id).state == "cancelling"
    assert jobs.cancel(job.id) is None
    wait_for(lambda: jobs._step() or queue.get(job.id).state == "cancelled")
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_job_that_cannot_run_says_why(queue, tmp_path):
    job = queue.submit("a", "nonsense", [], "run")
    jobs = Jobs(Store(tmp_path / "r.duckdb"), queue)
    found = wait_for(
        lambda: jobs._step() or ((got := queue.get(job.id)).state == "failed" and got), 60
    )
    assert found.exit_code == 2
    assert found.message.startswith(f"{queue.file_of(job)} is not valid TOML:")


def test_a_damaged_queue_is_said(queue):
    queue.folder.mkdir()
    queue.path.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"The queue .* cannot be used: file is not a database"):
        queue.jobs()


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "r.jobs").write_text("in the way")
    with pytest.raises(StoreError, match="The queue cannot be written"):
        JobQueue(tmp_path / "r.jobs").submit("a", GOOD, [], "run")


def test_a_job_file_is_what_was_submitted(queue, tmp_path):
    text = write_job(tmp_path, tmp_path).read_text()
    job = queue.submit("name", text, ["--limit", "1"], "run")
    assert queue.file_of(job).read_text() == text
    assert queue.get(job.id) == job
    assert queue.next() == job
