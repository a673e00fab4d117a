"""`zoo-eval rank` as a person uses it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import zoo_eval
from tests.cli.call import call
from tests.datasets.images import png, write_folder
from tests.disks import make_read_only, mounted
from tests.ranking.conftest import write_images
from tests.zoo import write_zoo


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Path:
    """A folder with images, a zoo, and the store and page of one race."""
    folder = tmp_path_factory.mktemp("desk")
    write_images(folder / "clothes", 12)
    write_zoo(folder / "zoo", 3)
    return folder


def rank(desk: Path, *more: str) -> list[str]:
    return [
        *("rank", str(desk / "clothes"), "--manifest", str(desk / "zoo"), "--workers", "1"),
        *("--store", str(desk / "r.duckdb"), "--out", str(desk / "page"), *more),
    ]


def test_it_shows_plan_rounds_table_and_page_then_the_same_as_json(desk, monkeypatch, capsys):
    code, out, err = call(monkeypatch, capsys, *rank(desk, "--top", "1"))
    assert (code, err) == (0, "")
    assert out.startswith(f"{desk / 'clothes'}: 36 images of 3 classes, 12 each.\n")
    assert "\n3 networks on 36 images, 3 classes.\nRounds: 36 (12 per class) images;" in out
    assert "Round 1: 3 networks on 36 images.\n[1/3] test_" in out
    assert "Take test_" in out
    assert "Images/s" in out
    assert "The plain choice, most parameters under the same limits, is test_efficientnet.s2" in out
    assert out.endswith(f"Page: {desk / 'page' / 'index.html'}\n")
    assert "<h1>Which network for clothes?</h1>" in (desk / "page" / "index.html").read_text()
    code, out, err = call(monkeypatch, capsys, *rank(desk, "--top", "1", "--json"))
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert len(found["rows"]) == 3
    assert found == json.loads((desk / "page" / "ranking.json").read_text())


def test_the_answer_is_taken_away(desk, tmp_path, monkeypatch, capsys):
    probe = tmp_path / "probe"
    arguments = rank(desk, "--top", "2", "--ensemble", "--export", str(probe))
    code, out, err = call(monkeypatch, capsys, *arguments)
    assert (code, err) == (0, "")
    assert "Best pair: test_" in out
    assert " points, 95 % interval " in out
    assert f"zoo_eval.load_probe({str(probe)!r})" in out
    images = sorted((desk / "clothes").rglob("*.png"))
    predicted = zoo_eval.load_probe(probe).predict(images)
    right = sum(
        label == image.parent.name for label, image in zip(predicted.labels, images, strict=True)
    )
    assert right > len(images) / 2
    # It is there now: said before a race that may take hours.
    code, out, err = call(monkeypatch, capsys, *arguments)
    assert (code, err) == (
        2,
        f"zoo-eval: {probe} exists already. Name a folder that is to be made.\n",
    )
    assert "Round 1" not in out


def test_a_table_with_columns_of_its_own_and_paths_outside(desk, tmp_path, monkeypatch, capsys):
    images = sorted((desk / "clothes").rglob("*.png"))
    table = tmp_path / "made" / "clothes.csv"
    table.parent.mkdir()
    rows = [f"{image},{image.parent.name}" for image in images if image.parent.name != "Bag"]
    table.write_text("file,kind\n" + "\n".join(rows) + "\n")
    arguments = [*rank(desk, "--json"), "--store", str(tmp_path / "r.duckdb")]
    arguments[1] = str(table)
    arguments[arguments.index("--out") + 1] = str(tmp_path / "page")
    code, _, err = call(monkeypatch, capsys, *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert "image" in err
    columns = ("--image-column", "file", "--label-column", "kind")
    code, _, err = call(monkeypatch, capsys, *arguments, *columns)
    assert (code, err.count("\n")) == (2, 1)
    assert "leads out of the table's folder" in err
    progress = tmp_path / "progress.json"
    outside = (*columns, "--allow-outside", "--progress", str(progress))
    code, out, err = call(monkeypatch, capsys, *arguments, *outside)
    assert code == 0, err
    assert json.loads(out)["classes"] == ["Sneaker", "Trouser"]
    kept = json.loads(progress.read_text())
    assert kept["look"].startswith(f"{table}: 24 images of 2 classes, 12 each.")
    assert kept["rounds"][-1]["leader"] == json.loads(out)["rows"][0]["model"]


def test_the_first_folder_may_be_the_class(desk, tmp_path, monkeypatch, capsys):
    """cat/left and cat/right are one class, as somebody may have sorted them."""
    sides = {"a.png": png(10), "b.png": png(90)}
    nested = {f"{kind}/{side}": sides for kind in ("cat", "dog") for side in ("left", "right")}
    folder = write_folder(tmp_path / "nested", nested)
    arguments = [*rank(desk, "--json", "--class-folder", "first")]
    arguments += ["--store", str(tmp_path / "r.duckdb"), "--where", "model LIKE '%resnet%'"]
    arguments[1] = str(folder)
    arguments[arguments.index("--out") + 1] = str(tmp_path / "page")
    code, out, err = call(monkeypatch, capsys, *arguments)
    assert code == 0, err
    assert json.loads(out)["classes"] == ["cat", "dog"]


def test_images_on_a_read_only_disk_are_ranked(desk, tmp_path, monkeypatch, capsys):
    """Nothing is written beside the images; what cannot be written elsewhere is said in a line."""
    with mounted(tmp_path / "disk", "size=4m") as disk:
        folder = write_images(disk / "clothes", 3)
        make_read_only(disk)
        arguments = [*rank(desk), "--where", "model LIKE '%resnet%'"]
        arguments[1] = str(folder)
        arguments[arguments.index("--store") + 1] = str(tmp_path / "r.duckdb")
        arguments[arguments.index("--out") + 1] = str(disk / "page")
        code, out, err = call(monkeypatch, capsys, *arguments)
        assert code == 2
        assert "Take test_resnet.s0" in out
        assert err.startswith(f"zoo-eval: The page cannot be written to {disk / 'page'}: Read-only")
        arguments[arguments.index("--store") + 1] = str(disk / "r.duckdb")
        code, _, err = call(monkeypatch, capsys, *arguments)
        assert code == 2
        assert err.startswith("zoo-eval: ")
        assert "Read-only" in err
        assert err.count("\n") == 1


def test_images_without_labels_are_ranked_and_it_is_said(desk, tmp_path, monkeypatch, capsys):
    images = sorted((desk / "clothes").rglob("*.png"))
    folder = write_folder(
        tmp_path / "plain",
        {".": {f"{i}.png": image.read_bytes() for i, image in enumerate(images)}},
    )
    arguments = [*rank(desk, "--top", "2"), "--store", str(tmp_path / "r.duckdb")]
    arguments[1] = str(folder)
    arguments[arguments.index("--out") + 1] = str(tmp_path / "page")
    code, out, err = call(monkeypatch, capsys, *arguments)
    assert (code, err) == (0, "")
    assert f"{folder}: 36 images without labels." in out
    assert "The images have no labels." in out
    assert "has the highest participation ratio." in out
    assert "Accuracy" not in out
    found = json.loads((tmp_path / "page" / "ranking.json").read_text())
    values = [row["scores"]["participation_ratio"] for row in found["rows"]]
    assert values == sorted(values, reverse=True)
    assert (found["labelled"], len(values), found["rows"][0]["accuracy"]) == (False, 3, None)
    assert "The images have no labels." in (tmp_path / "page" / "index.html").read_text()


def test_limits_and_a_budget_are_understood(desk, monkeypatch, capsys):
    limits = ("--max-params", "100001", "--max-macs", "1e12", "--where", "model LIKE '%resnet%'")
    code, _, err = call(monkeypatch, capsys, *rank(desk, *limits))
    assert code == 2
    assert err.startswith("zoo-eval: None of the 3 networks of zoo keeps to the limits;")
    assert err.endswith("its macs are not known. Widen them.\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--budget", "soon"], "A duration such as 20m, 1h30m or 45s is needed, not 'soon'."),
        (["--where", "no such"], "The filter 'no such' is not valid"),
        (["--manifest", "nosuch"], "There is no manifest 'nosuch'"),
        (["--budget", "1s"], "No network could be evaluated within the budget."),
    ],
)
def test_what_cannot_be_done_is_one_line(desk, tmp_path, monkeypatch, capsys, more, said):
    more = [*more, "--store", str(tmp_path / "fresh.duckdb")]
    code, _, err = call(monkeypatch, capsys, *rank(desk, *more))
    assert code == 2
    assert err.startswith(f"zoo-eval: {said}")
    assert err.count("\n") == 1


def test_images_that_cannot_be_ranked_by_are_one_line(desk, tmp_path, monkeypatch, capsys):
    one = write_folder(tmp_path / "one", {"only": {"a.png": png(1), "b.png": png(2)}})
    for folder, said in ((one, "At least two classes"), (tmp_path / "none", "There is no dataset")):
        arguments = rank(desk)
        arguments[1] = str(folder)
        code, _, err = call(monkeypatch, capsys, *arguments)
        assert code == 2
        assert err.startswith(f"zoo-eval: {said}")
        assert err.count("\n") == 1


def test_odd_names_and_few_images_are_ranked(desk, tmp_path, monkeypatch, capsys):
    """Two images of a class, classes with a comma and beyond ASCII, mixed formats and sizes."""
    folder = write_folder(
        tmp_path / "odd",
        {
            "a, b": {"1.png": png(10), "2.png": png(20, (40, 3))},
            "Größe 猫": {"1.png": png(200), "2.png": png(210), "broken.png": b"no image"},
        },
    )
    arguments = [*rank(desk, "--json"), "--store", str(tmp_path / "r.duckdb")]
    arguments[1] = str(folder)
    arguments[arguments.index("--out") + 1] = str(tmp_path / "page")
    code, out, err = call(monkeypatch, capsys, *arguments)
    assert code == 0, err
    found = json.loads(out)
    assert found["classes"] == ["a, b", "Größe 猫"]
    assert {row["n_images"] for row in found["rows"]} == {4}
    assert "Größe 猫" in (tmp_path / "page" / "index.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_does_not_lose_the_answer(
    desk, tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").write_text("in the way")
    arguments = rank(desk, "--top", "1")
    arguments[arguments.index("--out") + 1] = str(tmp_path / "file" / "page")
    code, out, err = call(monkeypatch, capsys, *arguments)
    assert code == 2
    assert "Take test_" in out
    assert err.startswith("zoo-eval: The page cannot be written to ")


@pytest.mark.slow
def test_interrupted_it_says_how_to_go_on(desk, tmp_path):
    arguments = [*rank(desk), "--store", str(tmp_path / "r.duckdb")]
    command = [sys.executable, "-m", "zoo_eval", *arguments]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert started.stdout is not None
    while not started.stdout.readline().startswith("Round 1"):
        assert started.poll() is None
        time.sleep(0.01)
    started.send_signal(signal.SIGTERM)
    _, err = started.communicate(timeout=120)
    assert started.returncode == 130
    assert "what is evaluated is stored, and `zoo-eval rank" in err
    assert "Traceback" not in err
