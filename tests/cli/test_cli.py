"""The command line as a person uses it."""

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.call import call
from tests.zoo import write_job, write_zoo


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zoo")
    write_job(folder, write_zoo(folder, 3))
    return folder


@pytest.fixture(scope="module")
def store(zoo) -> Path:
    path = zoo / "r.duckdb"
    command = [sys.executable, "-m", "zoo_eval", "run", str(zoo / "job.toml"), "--store", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "job: 3 models on fashion@" in done.stdout
    assert "[6/6]" in done.stdout
    assert f"Next: `zoo-eval report --store {path}`." in done.stdout
    return path


def test_start_does_not_import_torch():
    code = (
        "import sys, zoo_eval, zoo_eval.cli; "
        "bad = {'torch', 'timm', 'pandas', 'duckdb', 'scipy'} & sys.modules.keys(); "
        "sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_lists_the_commands(monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "--help")
    assert code == 0
    names = ["run", "retry", "fetch", "status", "report", "export", "import", "scores", "doctor"]
    for command in [*names, "manifest"]:
        assert f"  {command} " in out


def test_the_command_is_installed():
    names = {entry.name: entry.value for entry in entry_points(group="console_scripts")}
    assert names["zoo-eval"] == "zoo_eval.cli:main"


def test_a_second_run_says_that_there_is_nothing_to_do(monkeypatch, capsys, zoo, store):
    code, out, _ = call(monkeypatch, capsys, "run", str(zoo / "job.toml"), "--store", str(store))
    assert code == 0
    assert "Nothing to do: all 15 score values of 3 models" in out


def test_dry_run_shows_the_plan_and_does_nothing(monkeypatch, capsys, zoo, tmp_path):
    path = tmp_path / "new.duckdb"
    job = str(zoo / "job.toml")
    arguments = ("run", job, "--store", str(path), "--dry-run", "--limit", "2")
    code, out, _ = call(monkeypatch, capsys, *arguments)
    assert code == 0
    assert "2 models on fashion@" in out
    assert "Left: 10 values on 4 networks." in out
    assert "Time: about" in out
    assert "Disk: about" in out
    assert not path.exists()
    code, out, _ = call(monkeypatch, capsys, *arguments, "--json")
    assert json.loads(out)["networks_left"] == 4


def test_status(monkeypatch, capsys, store):
    code, out, _ = call(monkeypatch, capsys, "status", "--store", str(store))
    assert code == 0
    assert "15 values of 5 scores on 3 models; 0 more are undefined." in out
    assert "job: done" in out
    code, out, _ = call(monkeypatch, capsys, "status", "--store", str(store), "--json")
    assert json.loads(out)["n_values"] == 15


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_export(monkeypatch, capsys, store, tmp_path, to):
    code, out, _ = call(
        monkeypatch, capsys, "export", to, "--store", str(store), "--out", str(tmp_path)
    )
    assert code == 0
    assert "scores." + to + ": 15 rows" in out
    read = pd.read_csv if to == "csv" else pd.read_parquet
    assert len(read(tmp_path / f"scores.{to}")) == 15
    assert len(read(tmp_path / f"models.{to}")) == 3


def test_report(monkeypatch, capsys, store, tmp_path):
    code, out, _ = call(
        monkeypatch, capsys, "report", "--store", str(store), "--out", str(tmp_path / "report")
    )
    assert code == 0
    page = tmp_path / "report" / "index.html"
    assert f"Report: {page}" in out
    assert "test_resnet.s0" in page.read_text()
    assert "test_resnet.s0" in (tmp_path / "report" / "report.html").read_text()
    assert len(list((tmp_path / "report" / "models").iterdir())) == 3
    code, _, _ = call(
        monkeypatch, capsys, "report", "--store", str(store), "--out", str(tmp_path / "few"),
        "--pages", "1",
    )  # fmt: skip
    assert code == 0
    assert len(list((tmp_path / "few" / "models").iterdir())) == 1
    assert "fashion" in (tmp_path / "report" / "report.md").read_text()


def test_scores_table(monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "scores")
    assert code == 0
    assert "gradsign" in out
    assert "nats per image" in out
    code, out, _ = call(monkeypatch, capsys, "scores", "--json")
    assert {"dse", "logme"} <= {entry["name"] for entry in json.loads(out)}
    code, out, _ = call(monkeypatch, capsys, "scores", "logme")
    assert "Log evidence" in out


def test_manifest_list_and_check(monkeypatch, capsys):
    condition = "params < 5e6"
    code, out, _ = call(
        monkeypatch, capsys, "manifest", "list", "imagenet-lite", "--where", condition
    )
    assert code == 0
    assert out.splitlines()[0].split() == [
        *("model", "family", "params", "image_size", "pretraining", "imagenet_top1")
    ]
    assert "tf_efficientnet_lite0.in1k" in out
    assert "tf_efficientnet_lite2.in1k" not in out
    code, out, _ = call(monkeypatch, capsys, "manifest", "check", "imagenet-lite")
    assert (code, "3 models, and this timm knows them all" in out) == (0, True)


def test_manifest_check_names_what_cannot_be_built(monkeypatch, capsys, tmp_path):
    path = tmp_path / "zoo.csv"
    path.write_text("model,family,label_space,image_size,source\nnosuch.x,f,imagenet-1k,224,me\n")
    code, out, err = call(monkeypatch, capsys, "manifest", "check", str(path))
    assert code == 1
    assert "nosuch.x: timm" in out
    assert "1 of 1 models cannot be built" in err


def test_doctor(monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "doctor")
    assert code == 0
    assert "PROBLEM" not in out
    assert "ok      timm: " in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "nosuch"), "There is no job 'nosuch'"),
        (("status", "--store", "nosuch.duckdb"), "There is no result file nosuch.duckdb"),
        (("report", "--store", "nosuch.duckdb"), "There is no result file nosuch.duckdb"),
        (("export", "csv", "--store", "nosuch.duckdb"), "There is no result file"),
        (("scores", "nosuch"), "There is no score 'nosuch'"),
        (("manifest", "list", "nosuch"), "There is no manifest 'nosuch'"),
        (("manifest", "list", "--where", "parms < 3"), "The filter 'parms < 3' is not valid"),
        (("manifest", "build", "nosuch"), "must contain timm's results-imagenet.csv"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(monkeypatch, capsys, tmp_path, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = call(monkeypatch, capsys, *arguments)
    assert code == 2
    assert err.startswith("zoo-eval: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_folder_that_cannot_be_written(monkeypatch, capsys, store):
    for command in (("report",), ("export", "csv")):
        code, _, err = call(
            monkeypatch, capsys, *command, "--store", str(store), "--out", "/proc/nowhere"
        )
        assert code == 2
        assert "/proc/nowhere" in err
        assert err.count("\n") == 1


def test_a_job_with_failing_models_ends_with_3(monkeypatch, capsys, zoo, tmp_path):
    manifest = tmp_path / "manifest.csv"
    text = (zoo / "manifest.csv").read_text()
    manifest.write_text(text)  # the weights are not beside it
    job = write_job(tmp_path, manifest, scores='["logme"]')
    job.write_text(job.read_text().replace('"pretrained", "init"', '"pretrained"'))
    code, out, _ = call(
        monkeypatch, capsys, "run", str(job), "--store", str(tmp_path / "r.duckdb"), "--limit", "1"
    )
    assert code == 3
    assert "the weights file" in out
    assert "0 networks evaluated, 1 failed" in out


def test_no_place_for_the_store(monkeypatch, capsys, zoo):
    code, _, err = call(
        monkeypatch, capsys, "run", str(zoo / "job.toml"), "--store", "/proc/r.duckdb"
    )
    assert code == 2
    assert "/proc/r.duckdb" in err
