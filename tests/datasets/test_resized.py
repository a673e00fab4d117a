import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.datasets.images import encode, noise, write_folder
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets import resized as module
from zoo_eval.datasets.batches import ModelImages, one_ahead
from zoo_eval.datasets.preprocessing import Preprocessing
from zoo_eval.datasets.resized import resized
from zoo_eval.transforms.images import Alteration

SMALL = Preprocessing(16, 0.9, "bicubic", (0.5,) * 3, (0.5,) * 3)
N_BYTES = 4 * 16 * 16 * 3


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_EVAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "resized"


@pytest.fixture
def dataset(cache, tmp_path):
    contents = {name: {f"{n}.png": encode(noise(n, 20 + n, 30)) for n in range(2)} for name in "ab"}
    return load_dataset(DatasetSpec(str(write_folder(tmp_path / "images", contents))))


def files(cache) -> set[str]:
    return set(os.listdir(cache)) if cache.is_dir() else set()


def test_pixels_are_those_of_the_transform_and_are_made_once(dataset, cache):
    resize = SMALL.resize(cropped=False)
    expected = np.stack([resize(dataset[place]) for place in range(4)])
    np.testing.assert_array_equal(resized(dataset, SMALL), expected)
    (file,) = files(cache)
    before = (cache / file).stat().st_ino
    np.testing.assert_array_equal(resized(dataset, SMALL), expected)
    assert files(cache) == {file}
    assert (cache / file).stat().st_ino == before


def test_models_share_a_file_if_they_differ_in_normalisation_only(dataset, cache):
    resized(dataset, SMALL)
    resized(dataset, replace(SMALL, mean=(0.1,) * 3, std=(0.2,) * 3))
    assert len(files(cache)) == 1
    others = [
        replace(SMALL, image_size=18),
        replace(SMALL, crop=1.0),
        replace(SMALL, interpolation="bilinear"),
        replace(SMALL, crop_mode="squash"),
        replace(SMALL, crop_mode="border"),
        replace(SMALL, crop_mode="border", mean=(0.1,) * 3),  # timm fills the border with it
    ]
    for n, other in enumerate(others):
        resized(dataset, other)
        assert len(files(cache)) == 2 + n


def test_a_file_that_was_cut_short_is_made_again(dataset, cache):
    expected = np.array(resized(dataset, SMALL))
    (file,) = files(cache)
    with (cache / file).open("r+b") as opened:
        opened.truncate(100)
    np.testing.assert_array_equal(resized(dataset, SMALL), expected)


def test_what_was_used_longest_ago_makes_room(dataset, cache, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", 2 * N_BYTES)
    crops = [replace(SMALL, crop=crop) for crop in (0.7, 0.8, 0.9)]
    found = []
    for age, each in zip((30, 20, 10), crops, strict=True):
        before = files(cache)
        mapped = resized(dataset, each)
        (new,) = files(cache) - before
        found.append((new, mapped))
        os.utime(cache / new, (1e9 - age, 1e9 - age))
    assert files(cache) == {new for new, _ in found[1:]}
    assert found[0][1].sum() > 0  # still mapped
    resized(dataset, crops[1])  # which makes crops[2] the oldest
    resized(dataset, crops[0])
    assert found[2][0] not in files(cache)


def test_what_does_not_fit_is_not_kept(dataset, cache, monkeypatch):
    monkeypatch.setattr(module, "MOST_BYTES", N_BYTES - 1)
    assert resized(dataset, SMALL) is None
    monkeypatch.undo()
    monkeypatch.setenv("ZOO_EVAL_CACHE", str(cache.parent))
    free = shutil.disk_usage("/")._replace(free=2 * N_BYTES - 1)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: free)
    assert resized(dataset, SMALL) is None
    assert files(cache) == set()


def test_a_cache_that_cannot_be_written_costs_speed_only(dataset, tmp_path, monkeypatch):
    dataset[0]  # opens the decoded images, which stay where they are
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZOO_EVAL_CACHE", str(tmp_path / "file"))
    assert resized(dataset, SMALL) is None


def test_one_ahead_gives_the_same_items_and_its_errors():
    made = []

    def items():
        for item in range(5):
            made.append(item)
            yield item
        raise ValueError("at the end")

    ahead = one_ahead(items())
    assert [next(ahead) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert made == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="at the end"):
        next(ahead)


def test_altered_images_have_files_of_their_own(dataset, cache, monkeypatch):
    turned = Alteration("turned", lambda image: image.transpose(Image.Transpose.ROTATE_180))
    plain = np.array(resized(dataset, SMALL))
    resize = SMALL.resize(cropped=False)
    expected = np.stack([resize(turned.change(dataset[place])) for place in range(4)])
    np.testing.assert_array_equal(resized(dataset, SMALL, turned), expected)
    np.testing.assert_array_equal(resized(dataset, SMALL), plain)
    assert len(files(cache)) == 2
    resized(dataset, SMALL, replace(turned, name="turned otherwise"))
    assert len(files(cache)) == 3
    # They do not make room at the cost of the images themselves.
    monkeypatch.setattr(module, "MOST_BYTES", 15 * N_BYTES)
    assert resized(dataset, replace(SMALL, crop=0.8), turned) is None


def test_altered_batches_are_the_same_with_and_without_a_file(dataset, monkeypatch):
    turned = Alteration("turned", lambda image: image.transpose(Image.Transpose.ROTATE_180))
    images = ModelImages(dataset, SMALL, 3, torch.device("cpu"))
    with_file = list(images.altered(turned))
    assert [len(batch) for batch in with_file] == [3, 1]
    assert not torch.equal(with_file[0], next(iter(images)))
    monkeypatch.setattr(module, "MOST_BYTES", 0)
    without_file = list(images.altered(replace(turned, name="elsewhere")))
    assert all(map(torch.equal, with_file, without_file))
