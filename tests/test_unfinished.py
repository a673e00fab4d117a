"""What writers leave that are killed with SIGKILL, and what those have that live."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.images import colours, write_classes
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets.preprocessing import Preprocessing
from zoo_eval.datasets.resized import resized
from zoo_eval.unfinished import abandoned, sweep, workspace

_SLOWLY = """
import sys, time
from zoo_eval.datasets import DatasetSpec, load_dataset, rgb
from zoo_eval.datasets.preprocessing import Preprocessing
from zoo_eval.datasets.resized import resized

def slowly(real, seen=[]):
    def wrapped(*arguments):
        seen.append(0)
        if len(seen) > 2:
            print("in the middle", flush=True)
            time.sleep(60)
        return real(*arguments)
    return wrapped

if sys.argv[2] == "decoding":
    rgb._rgb = slowly(rgb._rgb)
dataset = load_dataset(DatasetSpec(sys.argv[1]))
transform = Preprocessing.resize
Preprocessing.resize = lambda self, *, cropped: slowly(transform(self, cropped=cropped))
resized(dataset, Preprocessing(16, 0.9, "bicubic", (0.5,) * 3, (0.5,) * 3))
"""

SMALL = Preprocessing(16, 0.9, "bicubic", (0.5,) * 3, (0.5,) * 3)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("ZOO_EVAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def images(tmp_path) -> Path:
    return write_classes(tmp_path / "images", {"a": [1, 2, 3], "b": [4, 5]})


@pytest.fixture
def writer(cache, images, request) -> Callable[[str], subprocess.Popen[str]]:
    """Starts a process that is in the middle of decoding or resizing."""

    def start(what: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            (sys.executable, "-c", _SLOWLY, str(images), what),
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        assert process.stdout is not None
        request.addfinalizer(process.stdout.close)
        request.addfinalizer(process.wait)
        request.addfinalizer(process.kill)
        assert process.stdout.readline() == "in the middle\n"
        return process

    return start


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("unfinished-*")]


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait()


def test_decoding_that_is_killed(cache, images, tmp_path, writer):
    process = writer("decoding")
    assert len(left(cache / "decoded")) == 1
    other = load_dataset(DatasetSpec(str(write_classes(tmp_path / "o", {"a": [7], "b": [8]}))))
    assert len(left(cache / "decoded")) == 1  # its writer lives
    kill(process)
    assert len(left(cache / "decoded")) == 1
    assert len(load_dataset(DatasetSpec(str(tmp_path / "o")))) == len(other)
    assert left(cache / "decoded") == []  # though nothing had to be decoded
    assert colours(load_dataset(DatasetSpec(str(images)))) == [1, 2, 3, 4, 5]
    assert left(cache / "decoded") == []


def test_resizing_that_is_killed(cache, images, writer):
    process = writer("resizing")
    dataset = load_dataset(DatasetSpec(str(images)))
    assert len(left(cache / "resized")) == 1
    kill(process)
    pixels = resized(dataset, SMALL)
    assert pixels is not None
    assert len(pixels) == 5
    assert left(cache / "resized") == []


def test_a_workspace_goes_at_the_end_and_after_an_error(tmp_path):
    with workspace(tmp_path) as folder:
        (folder / "file").write_text("x")
        assert list(abandoned(tmp_path)) == []
        sweep(tmp_path)
        (folder / "file").rename(tmp_path / "finished")
    with pytest.raises(KeyboardInterrupt), workspace(tmp_path):
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["finished"]


def test_what_the_first_release_left_goes_too(tmp_path):
    (tmp_path / "unfinished-abc").write_bytes(b"pixels")
    (tmp_path / "unfinished-def").mkdir()
    (tmp_path / "unfinished-def" / "pixels.bin").write_bytes(b"pixels")
    (tmp_path / "finished").write_bytes(b"")
    assert len(list(abandoned(tmp_path))) == 2
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["finished"]


@pytest.mark.parametrize("still_looking", [False, True])
def test_a_folder_that_is_taken_for_abandoned_before_it_is_locked(
    tmp_path, monkeypatch, still_looking
):
    """Its writer gets it again, or takes another."""
    real, made, looking = tempfile.mkdtemp, [], []

    def made_and_seen(**options):
        made.append(real(**options))
        if len(made) == 1 and still_looking:
            looking.append(abandoned(tmp_path))
            assert str(next(looking[0])) == made[0]
        elif len(made) == 1:
            sweep(tmp_path)
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", made_and_seen)
    with workspace(tmp_path) as folder:
        assert (str(folder) == made[0]) is not still_looking
        looking.clear()
        sweep(tmp_path)
        assert [str(path) for path in tmp_path.iterdir()] == [str(folder)]
    assert list(tmp_path.iterdir()) == []
