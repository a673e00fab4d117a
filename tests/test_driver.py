"""The process that hands out work and reads results has no use for what computes."""

import os
import subprocess
import sys

import pytest

from tests.zoo import write_job, write_zoo

HEAVY = ("torch", "torchvision", "timm", "sklearn")


def driver(folder, *arguments: str) -> list[str]:
    """What a fresh interpreter has imported of these after `zoo-eval ARGUMENTS`."""
    program = folder / "driver.py"
    program.write_text(
        "import sys\n"
        "from zoo_eval.cli import app\n"
        "if __name__ == '__main__':\n"
        "    try:\n"
        f"        app({list(arguments)!r})\n"
        "    except SystemExit as ended:\n"
        "        assert not ended.code, ended.code\n"
        f"    print('imported:', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    paths = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].split()[1:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With a store of one small network, evaluated in a process of its own; see below."""
    folder = tmp_path_factory.mktemp("driver")
    write_job(folder, write_zoo(folder, 1), scores='["params", "dse", "logme", "grad_norm"]')
    assert driver(folder, "run", "job.toml", "--workers", "1") == []
    return folder


def test_a_run(folder):
    assert (folder / "results.duckdb").is_file()


@pytest.mark.parametrize(
    "arguments",
    [
        ("scores",),
        ("scores", "grad_norm"),
        ("status",),
        ("export", "csv"),
        ("doctor", "--store", "results.duckdb"),
        ("report", "--no-predict"),
    ],
    ids=" ".join,
)
def test_what_reads(folder, arguments):
    assert driver(folder, *arguments) == []


def test_a_report_predicts_by_scikit_learn_alone(folder):
    assert driver(folder, "report") == ["sklearn"]


def test_a_folder_of_images(folder, tmp_path):
    from PIL import Image

    for label in ("cat", "dog"):
        (tmp_path / "images" / label).mkdir(parents=True)
        Image.new("RGB", (40, 40)).save(tmp_path / "images" / label / "1.png")
    program = (
        "from zoo_eval.datasets import DatasetSpec, load_dataset; import sys; "
        f"found = load_dataset(DatasetSpec({str(tmp_path / 'images')!r})); "
        f"print(found.classes, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    assert done.stdout == "('cat', 'dog') []\n", done.stderr
