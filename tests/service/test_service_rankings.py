"""Rankings: what is accepted, how they are watched, what they give, what outlives the service."""

import json
import os

import psutil
import pytest
import typer

from tests.ranking.conftest import write_images
from tests.report.pages.document import Document
from tests.service.conftest import HOSTILE, problem_of, serving
from tests.service.test_service_snapshot import wait_for
from tests.zoo import write_zoo
from zoo_eval import Store
from zoo_eval.cli import app
from zoo_eval.datasets import DatasetSpec
from zoo_eval.service import ServiceOptions
from zoo_eval.service.jobs import Jobs
from zoo_eval.service.queue import JobQueue
from zoo_eval.service.ranking_request import RankingRequest
from zoo_eval.store.lock import one_run

RANKINGS = "/api/v1/rankings"
SMALL = {"manifest": "fashion", "max_params": 32_600, "top": 2, "workers": 1}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Real images in a folder of a name that a page must escape, in a folder that is allowed."""
    return write_images(tmp_path_factory.mktemp("ok") / "--out=<b> ü'\"&", 4)


@pytest.fixture(scope="module")
def ranked(tmp_path_factory, images):
    """A service with one ranking that is done: its client and the ranking's id."""
    options = ServiceOptions(
        tmp_path_factory.mktemp("served") / "r.duckdb", allowed=(images.parent,)
    )
    with serving(options) as client:
        queued = client.post(RANKINGS, json={**SMALL, "source": str(images)})
        assert queued.status_code == 201, queued.text
        ranking = queued.json()["id"]
        ended = wait_for(
            lambda: (
                (got := client.get(f"{RANKINGS}/{ranking}").json())["run"]["ended"] is not None
                and got
            ),
            240,
        )
        assert ended["run"]["state"] == "done", ended["run"]["message"]
        yield client, ranking


def test_its_result_is_that_of_the_command_line(ranked, images):
    client, ranking = ranked
    found = client.get(f"{RANKINGS}/{ranking}/result").json()
    assert found["source"] == str(images)
    assert len(found["rows"]) == 4
    assert found["rows"][0]["accuracy"] > 0.5
    assert {each["why"] for each in found["left_out"]} == {"limits"}
    # Races have stores of their own: the service's has nothing of it.
    assert client.get("/api/v1/health").json()["values"] == 0


def test_look_plan_and_rounds_are_kept(ranked, images):
    client, ranking = ranked
    found = client.get(f"{RANKINGS}/{ranking}").json()
    assert found["has_result"] is True
    assert found["request"]["source"] == str(images)
    assert found["request"]["top"] == 2
    race = found["race"]
    assert race["look"].startswith(f"{images}: 12 images of 3 classes, 4 each.")
    assert (race["plan"]["n_networks"], race["plan"]["n_images"]) == (4, 12)
    (one,) = race["rounds"]
    assert (one["n_images"], one["done"], one["failed"]) == (12, 4, 0)
    assert one["leader"] == client.get(f"{RANKINGS}/{ranking}/result").json()["rows"][0]["model"]


def test_it_is_a_run_like_others(ranked, images):
    client, ranking = ranked
    (run,) = client.get("/api/v1/runs").json()["runs"]
    assert (run["id"], run["kind"], run["name"]) == (ranking, "rank", images.name)
    assert run["progress"] == {
        **{"done": 4, "failed": 0, "left": 0, "per_minute": None, "seconds_left": None}
    }
    assert client.get(f"{RANKINGS}").json()["rankings"][0]["run"] == run
    assert "Round 1: 4 networks" in client.get(f"/api/v1/runs/{ranking}/log").text
    detail = client.get(f"/api/v1/runs/{ranking}").json()
    assert json.loads(detail["toml"])["source"] == str(images)
    lines = client.get(f"{RANKINGS}/{ranking}/events").text.splitlines()
    assert lines[0] == "event: ranking"
    assert json.loads(lines[1].removeprefix("data: "))["run"]["state"] == "done"


def test_its_page_stands_among_the_others(ranked, images):
    client, ranking = ranked
    page = Document(client.get(f"/rank/{ranking}").text)
    assert page.all("h1")[0]["text"] == f"Which network for {images.name}?"
    assert "b" not in {element["tag"] for element in page.elements}
    here = [link["text"] for link in page.all("a") if link.get("aria-current") == "page"]
    assert here == ["Rank"]
    pictures = [image["src"] for image in page.all("img")]
    assert len(pictures) == 12
    picture = client.get(pictures[0])
    assert picture.headers["content-type"] == "image/webp"
    for name in ("../ranking.json", "..%2Franking.json", "000-9.webp", "x", "000-0.webp%00"):
        assert client.get(f"/rank/{ranking}/samples/{name}").status_code == 404
    assert images.name in {link["text"] for link in Document(client.get("/rank").text).all("a")}


def test_the_images_are_looked_at_before(ranked, images):
    client, _ = ranked

    def text():
        return client.get("/rank", params={"source": str(images)}).text

    seen = Document(wait_for(lambda: "data-pending" not in (got := text()) and got, 120))
    (look,) = seen.all("pre")
    assert look["text"].startswith(f"{images}: 12 images of 3 classes, 4 each.")
    (field,) = seen.all("input", name="source")
    assert field["value"] == str(images)
    missing = {"source": str(images.parent / "nosuch")}
    said = wait_for(
        lambda: "data-pending" not in (got := client.get("/rank", params=missing).text) and got
    )
    assert "There is no dataset" in said


def test_a_form_starts_a_race_or_keeps_what_was_filled_in(writable, tmp_path):
    folder = tmp_path / "ok" / "images"
    write_images(folder, 2)
    form = {"source": str(folder), "manifest": "fashion", "budget": "2m", "licences": "MIT, x"}
    response = writable.post("/rank", data={**form, "max_macs": "many"})
    assert response.status_code == 422
    assert "max_macs: input should be a valid number" in response.text
    assert Document(response.text).all("input", name="budget")[0]["value"] == "2m"
    response = writable.post("/rank", data=form)
    assert "None of the 62 networks of fashion keeps to the limits" in response.text
    assert writable.post("/rank", data={}).status_code == 422
    with one_run(Store(tmp_path / "new.duckdb")):  # so that it does not begin
        response = writable.post("/rank", data={**form, "licences": "Apache-2.0"})
        assert response.status_code == 303, response.text
        page = writable.get(response.headers["location"])
        assert "It has not begun yet." in page.text
        ranking = response.headers["location"].rpartition("/")[2]
        found = problem_of(writable.get(f"{RANKINGS}/{ranking}/result"), 404)
        assert found == f"Ranking {ranking} has no result: it is queued."
        assert writable.post(f"/api/v1/runs/{ranking}/cancel").json()["state"] == "cancelled"
        again = writable.post(f"/api/v1/runs/{ranking}/retry").json()
        assert (again["kind"], again["state"]) == ("rank", "queued")
        writable.post(f"/api/v1/runs/{again['id']}/cancel")


@pytest.mark.parametrize(
    "path",
    [
        *("/etc", "/", "images", "../ok", "~/x", "-", "--export=/tmp/x", "file:///etc", "a\0b"),
        *("s3://bucket/x", "/proc/self/cwd", HOSTILE, "/" + "x" * 4000, "", " "),
    ],
)
def test_other_paths_are_refused_unread(writable, tmp_path, path):
    for asked in ({"source": path, **SMALL}, {"source": "fashion", "manifest": path}):
        said = problem_of(writable.post(RANKINGS, json=asked), 422)
        assert "is neither builtin nor a full path inside the allowed folders" in said
        assert str(tmp_path / "ok") in said
    response = writable.post("/rank", data={"source": path, "manifest": "fashion"})
    assert response.status_code == 422
    assert "<script>alert" not in response.text
    assert not (tmp_path / "new.jobs").exists()


def test_links_and_weights_that_lead_outside_are_refused(writable, tmp_path):
    allowed = tmp_path / "ok"
    write_zoo(allowed, 1)
    (allowed / "up").symlink_to(tmp_path)
    outside = write_images(tmp_path / "private", 2)
    for path in (allowed / "up" / "private", allowed / ".." / "private", outside):
        refused = problem_of(writable.post(RANKINGS, json={**SMALL, "source": str(path)}), 422)
        assert refused.startswith(f"source = '{path}' is neither builtin")
    weights = next(allowed.glob("*.safetensors"))
    weights.rename(tmp_path / "w.safetensors")
    weights.symlink_to(tmp_path / "w.safetensors")
    asked = {"source": "fashion", "manifest": str(allowed)}
    refused = problem_of(writable.post(RANKINGS, json=asked), 422)
    assert refused.startswith("weights_file of test_resnet.s0 = ")


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"budget": "soon"}, "A duration such as 20m, 1h30m or 45s is needed, not 'soon'."),
        ({"max_params": 1}, "None of the 62 networks of fashion keeps to the limits"),
        ({"top": 0}, "body.top: should be greater than or equal to 1"),
        ({"licences": ["a\nb"]}, "body.licences.0: String should match"),
        ({"image_column": "a\0"}, "body.image_column: String should match"),
        ({"class_folder": "middle"}, "body.class_folder: should be 'last', 'first' or 'none'"),
        ({"allow_outside": True}, "body.allow_outside: Extra inputs are not permitted"),
    ],
)
def test_wrong_wishes_are_refused(writable, wish, said):
    asked = {"source": "fashion", "manifest": "fashion", **wish}
    assert problem_of(writable.post(RANKINGS, json=asked), 422).startswith(said)


def test_what_is_asked_for_is_never_an_option():
    """The command line reads every wish as what it is, whatever it looks like."""
    hostile = "--export=/tmp/x"
    request = RankingRequest(
        source=hostile,
        manifest=hostile,
        licences=[hostile, "--json"],
        image_column=hostile,
        max_params=5e7,
    )
    command = typer.main.get_command(app).commands["rank"]
    _, *arguments = request.arguments({})
    parsed = command.make_context("rank", arguments).params
    assert (parsed["images"], parsed["manifest"], parsed["image_column"]) == (hostile,) * 3
    assert [*parsed["licence"]] == [hostile, "--json"]
    assert parsed["max_params"] == 5e7
    assert (parsed["export"], parsed["as_json"]) == (None, False)
    assert DatasetSpec(hostile, image_column=hostile) == request.images


def test_only_who_may_starts_a_race(filled, tmp_path):
    asked = {**SMALL, "source": "fashion"}
    with serving(ServiceOptions(filled, read_only=True)) as client:
        assert "read-only" in problem_of(client.post(RANKINGS, json=asked), 403)
        assert Document(client.get("/rank", params={"source": "fashion"}).text).all("form") == []
        problem_of(client.get(f"{RANKINGS}/nosuch"), 404)
    with serving(ServiceOptions(tmp_path / "r.duckdb", token="x" * 16)) as client:
        problem_of(client.post(RANKINGS, json=asked), 401)
        assert client.get("/rank").status_code == 401
        headers = {"Authorization": f"Bearer {'x' * 16}", "Origin": "http://evil.example"}
        for address in (RANKINGS, "/rank"):
            assert client.post(address, headers=headers, json=asked).status_code == 403


def test_a_race_whose_process_is_gone_is_begun_again(tmp_path):
    queue = JobQueue(tmp_path / "r.jobs")
    request = RankingRequest(source="fashion", manifest="fashion", max_params=32_600)
    job = queue.submit(request.name, request.model_dump_json(), (), "rank")
    assert queue.started(job.id, os.getpid(), 0.0)  # of a process that is no more
    jobs = Jobs(Store(tmp_path / "r.duckdb"), queue)
    jobs._step()
    assert queue.next() == queue.get(job.id)
    jobs._step()
    process = psutil.Process(queue.get(job.id).pid)
    assert process.cmdline()[1:4] == ["-m", "zoo_eval", "rank"]
    assert f"--store={queue.races / request.store}" in process.cmdline()
    jobs.cancel(job.id)
    wait_for(lambda: jobs._step() or queue.get(job.id).state == "cancelled")
