"""A package adds scores through the entry-point group `zoo_eval.scores`."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from zoo_eval.errors import InputError
from zoo_eval.plugins import load

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1"

[project.entry-points."zoo_eval.scores"]
{name} = "{entry}"
"""
SCORE = '''\
from zoo_eval.scores import score


@score(unit="features", higher_is_better=None, bounds=(1.0, float("inf")))
def {function}(embeddings):
    """How many features the embeddings have.

    References:
        Nobody, "Nothing", https://example.org/nothing
    """
    return float(embeddings.shape[1])
'''
JOB = """\
manifest = "manifest.csv"
weights = ["pretrained"]
scores = ["width_of_embeddings", "rankme"]
[dataset]
source = "fashion"
images_per_class = 2
"""


def install(folder: Path, name: str, module: str, entry: str) -> Path:
    """Install a package of one module into a folder of its own; nothing is downloaded."""
    source = folder / name
    (source / name).mkdir(parents=True)
    (source / "pyproject.toml").write_text(PYPROJECT.format(name=name, entry=entry))
    (source / name / "__init__.py").write_text(module)
    target = folder / f"{name}_installed"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    alone = ("--no-index", "--no-deps", "--no-build-isolation", "--target", target)
    done = subprocess.run(
        [*pip, *alone, source], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return target


def zoo_eval(target: Path, *arguments: str | Path, cwd: Path | None = None) -> tuple[int, str, str]:
    """Run `zoo-eval` where the package in `target` is installed."""
    code = (
        f"import site; site.addsitedir({str(target)!r}); import zoo_eval.cli; zoo_eval.cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_an_installed_package_adds_scores(tmp_path):
    from tests.zoo import write_zoo

    module = SCORE.format(function="width_of_embeddings")
    target = install(tmp_path, "zoo_of_widths", module, "zoo_of_widths")
    code, out, err = zoo_eval(target, "scores")
    assert code == 0, err
    assert "\nwidth_of_embeddings " in out
    code, out, err = zoo_eval(target, "scores", "width_of_embeddings")
    assert "How many features the embeddings have." in out
    code, out, err = zoo_eval(target, "scores", "check", "width_of_embeddings")
    assert code == 0, out + err
    assert "width_of_embeddings passes " in out
    write_zoo(tmp_path, 1)
    (tmp_path / "job.toml").write_text(JOB)
    command = ("run", "job.toml", "--store", "r.duckdb", "--workers", "1")
    code, out, err = zoo_eval(target, *command, cwd=tmp_path)
    assert code == 0, out + err
    assert "1 networks evaluated, 0 failed" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "module", "entry", "message"),
    [
        (
            "clashing",
            SCORE.format(function="rankme"),
            "clashing:rankme",
            "There are two scores called 'rankme', in zoo_eval.scores.geometry.rankme and "
            "clashing; a score's name must be its own.",
        ),
        (
            "broken",
            "import nosuch",
            "broken",
            "broken adds scores to zoo_eval, but its entry point 'broken' = 'broken' cannot be "
            "loaded: ModuleNotFoundError: No module named 'nosuch'. Repair or uninstall broken.",
        ),
        (
            "renamed",
            SCORE.format(function="width"),
            "renamed:wide",
            "renamed adds scores to zoo_eval, but its entry point 'renamed' = 'renamed:wide' "
            "cannot be loaded: AttributeError: module 'renamed' has no attribute 'wide'. Repair "
            "or uninstall renamed.",
        ),
        (
            "plain",
            "def width(embeddings): return 1.0",
            "plain:width",
            "The entry point 'plain' of group zoo_eval.scores names a function; it must name a "
            "score or a module of scores.",
        ),
    ],
)
def test_a_package_that_does_not_fit_is_named_in_one_line(tmp_path, name, module, entry, message):
    target = install(tmp_path, name, module, entry)
    code, out, err = zoo_eval(target, "scores")
    assert (code, out, err) == (2, "", f"zoo-eval: {message}\n")


# The same without installing anything


def test_whatever_a_package_raises_is_said_in_one_line(tmp_path, monkeypatch):
    (tmp_path / "breaks_on_import.py").write_text("raise ValueError('no such luck\\nat all')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError) as caught:
        load(EntryPoint("mine", "breaks_on_import:score", "zoo_eval.scores"))
    assert str(caught.value) == (
        "an installed package adds scores to zoo_eval, but its entry point 'mine' = "
        "'breaks_on_import:score' cannot be loaded: ValueError: no such luck. Repair or uninstall "
        "an installed package."
    )
