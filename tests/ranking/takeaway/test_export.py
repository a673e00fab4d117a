"""An exported probe predicts elsewhere what the network and scikit-learn predict by hand."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from scipy.special import softmax
from sklearn.linear_model import Ridge

import zoo_eval
from tests.datasets.images import encode, noise, write_folder
from tests.disks import make_read_only, mounted
from tests.models.hub_client import RESNET, cache
from tests.ranking.scenes import scene
from zoo_eval import Manifest
from zoo_eval.datasets import Dataset, DatasetSpec, load_dataset
from zoo_eval.errors import DatasetError, ProbeError, WeightsError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.ranking.takeaway.export import export_probe
from zoo_eval.ranking.takeaway.predictor import load_probe
from zoo_eval.ranking.takeaway.probe import FittedProbe

MODEL = "resnet14t.w8_e2"


@pytest.fixture(scope="module")
def line() -> ModelLine:
    (found,) = [line for line in Manifest.load("fashion") if line.model == MODEL]
    return found


@pytest.fixture(scope="module")
def fashion() -> Dataset:
    return load_dataset(DatasetSpec("fashion", images_per_class=20))


@pytest.fixture(scope="module")
def new_images() -> tuple[list[Image.Image], list[str]]:
    """Images that the probe is not fitted on, and their classes."""
    every = load_dataset(DatasetSpec("fashion"))
    fitted_on = load_dataset(DatasetSpec("fashion", images_per_class=20))
    known = {fitted_on[place].tobytes() for place in range(len(fitted_on))}
    places = [place for place in range(0, 2000, 7) if every[place].tobytes() not in known]
    return [every[place] for place in places], [every.classes[every.labels[p]] for p in places]


@pytest.fixture(scope="module")
def exported(tmp_path_factory, line, fashion) -> tuple[Path, FittedProbe]:
    folder = tmp_path_factory.mktemp("exported") / "probe"
    return folder, export_probe(line, fashion, folder)


def by_hand(line: ModelLine, images: list[Image.Image]) -> np.ndarray:
    """Embeddings by timm alone."""
    ensure_torchvision()
    import timm

    model = timm.create_model(line.architecture, num_classes=10, **line.arguments)
    model.load_state_dict(load_file(line.folder / str(line.weights_file)))
    transform = timm.data.create_transform(
        input_size=(3, 28, 28), interpolation="bicubic", mean=line.mean, std=line.std, crop_pct=1.0
    )
    model.eval()
    with torch.inference_mode():
        batch = torch.stack([transform(image) for image in images])
        features = model.forward_features(batch)
        return model.forward_head(features, pre_logits=True).numpy().astype(np.float64)


def test_new_images_are_predicted_as_by_hand(exported, line, fashion, new_images):
    folder, fitted = exported
    images, classes = new_images
    ridge = Ridge(alpha=fitted.penalty).fit(
        by_hand(line, [fashion[place] for place in range(200)]), np.eye(10)[list(fashion.labels)]
    )
    wanted = softmax(ridge.predict(by_hand(line, images)) / fitted.temperature, axis=1)
    found = load_probe(folder).predict(images)
    np.testing.assert_allclose(found.probabilities, wanted, atol=2e-4)
    assert found.classes == fashion.classes
    assert found.labels == tuple(fashion.classes[place] for place in wanted.argmax(axis=1))
    right = np.mean([label == name for label, name in zip(found.labels, classes, strict=True)])
    accuracy = load_probe(folder).accuracy
    assert accuracy.n_images == 200
    assert accuracy.low < right < accuracy.high
    assert right > 0.75


def test_it_says_what_it_is(exported, line, fashion):
    folder, fitted = exported
    assert {path.name for path in folder.iterdir()} == {
        *("README.md", "network.safetensors", "probe.json", "probe.safetensors")
    }
    said = json.loads((folder / "probe.json").read_text())
    assert said["zoo_eval"] == zoo_eval.__version__
    assert said["dataset"] == fashion.label
    assert said["classes"] == list(fashion.classes)
    assert said["model"] == {
        "name": MODEL,
        "family": "resnet",
        "arguments": dict(line.arguments),
        "label_space": "fashion-mnist",
        "weights_file": "network.safetensors",
        "weights_sha256": line.weights_sha256,
        "licence": "Apache-2.0",
    }
    assert said["preprocessing"] == {
        "image_size": 28,
        "crop": 1.0,
        "interpolation": "bicubic",
        "mean": [0.286] * 3,
        "std": [0.353] * 3,
        "crop_mode": "center",
    }
    assert said["accuracy"]["value"] == fitted.accuracy.value
    readme = (folder / "README.md").read_text()
    assert f"# {MODEL}, with a linear probe for {fashion.label}" in readme
    assert 'zoo_eval.load_probe("probe")'.replace('"', "'") in readme


def test_the_readme_runs_elsewhere(exported, tmp_path, new_images):
    images, _ = new_images
    shutil.copytree(exported[0], tmp_path / "probe")
    images[0].save(tmp_path / "image.jpg", quality=100)
    code = (tmp_path / "probe" / "README.md").read_text().split("```python\n")[1].split("```")[0]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{load_probe(exported[0]).predict(images[:1]).labels} [")


def test_all_kinds_of_pictures(exported, tmp_path, new_images):
    image = new_images[0][3]
    image.save(tmp_path / "été, 1.png")
    content = (tmp_path / "été, 1.png").read_bytes()
    grey = image.convert("L")
    turned = image.transpose(Image.Transpose.ROTATE_90)
    turned.getexif()[0x0112] = 6  # to be shown a quarter turn clockwise
    probe = load_probe(exported[0])
    one = probe.predict([image])
    for picture in (str(tmp_path / "été, 1.png"), tmp_path / "été, 1.png", content, grey, turned):
        found = probe.predict([picture])
        np.testing.assert_allclose(found.probabilities, one.probabilities, atol=1e-6)
    many = probe.predict([image] * 70)  # more than one batch
    np.testing.assert_allclose(many.probabilities, np.repeat(one.probabilities, 70, 0), atol=1e-5)
    none = probe.predict([])
    assert (none.labels, none.probabilities.shape) == ((), (0, 10))


def test_pictures_that_cannot_be_read(exported, tmp_path):
    probe = load_probe(exported[0])
    (tmp_path / "x.png").write_bytes(b"no image")
    for picture, message in (
        (tmp_path / "x.png", f"Image {tmp_path}/x.png cannot be read: 8 bytes that are no image."),
        (tmp_path / "gone.png", "gone.png cannot be read: .*No such file"),
        (b"", "Image number 0 cannot be read: 0 bytes that are no image."),
        (Image.new("F", (9, 9)), "Image number 0 cannot be read: its pixels are real numbers"),
    ):
        with pytest.raises(DatasetError, match=message):
            probe.predict([picture])
    with pytest.raises(DatasetError, match="put brackets around a single one"):
        probe.predict("image.png")


def test_embeddings_that_are_kept_are_used(line, fashion, tmp_path, exported):
    embeddings = by_hand(line, [fashion[place] for place in range(200)]).astype(np.float32)
    done: list[tuple[int, int]] = []
    fitted = export_probe(
        *(line, fashion, tmp_path / "new" / "kept"),
        embeddings=embeddings,
        on_image=lambda i, n: done.append((i, n)),
    )
    assert done == []
    np.testing.assert_allclose(fitted.probe.weight, exported[1].probe.weight, rtol=2e-3, atol=2e-3)
    with pytest.raises(ProbeError, match=r"has 200 images, but there are embeddings of 199\."):
        export_probe(line, fashion, tmp_path / "b", embeddings=embeddings[1:])
    changed = replace(line, weights_sha256="0" * 64)
    with pytest.raises(ProbeError, match="are not those that the manifest names"):
        export_probe(changed, fashion, tmp_path / "c", embeddings=embeddings)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_progress_is_told(line, tmp_path):
    few = load_dataset(DatasetSpec("fashion", images_per_class=2))
    done: list[tuple[int, int]] = []
    export_probe(line, few, tmp_path / "p", on_image=lambda i, n: done.append((i, n)))
    assert done == [(place, 20) for place in range(1, 21)]


@pytest.mark.parametrize("name", ["probe.json", "probe.safetensors", "network.safetensors"])
def test_a_file_that_is_gone_or_damaged_is_refused_by_name(exported, tmp_path, name, new_images):
    folder = shutil.copytree(exported[0], tmp_path / "copy")

    def refusal() -> str:
        with pytest.raises((ProbeError, WeightsError)) as caught:
            load_probe(folder).predict(new_images[0][:1])
        assert "\n" not in str(caught.value)
        return str(caught.value)

    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-20] + b"x" * 20)
    assert name in refusal()
    (folder / name).unlink()
    assert name in refusal()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format: Input should be 1"),
        ({"classes": ["a"]}, "classes: "),
        ({"classes": ["a", "b"]}, "should hold a weight of 2 rows"),
        ({"surprise": 1}, "surprise: "),
        ({"probe_sha256": "0"}, "is not as it was written"),
    ],
)
def test_a_file_of_another_version_is_refused(exported, tmp_path, change, message):
    folder = shutil.copytree(exported[0], tmp_path / "copy")
    said = json.loads((folder / "probe.json").read_text()) | change
    (folder / "probe.json").write_text(json.dumps(said))
    with pytest.raises(ProbeError, match=message):
        load_probe(folder)


def test_weights_outside_the_folder_are_refused(exported, tmp_path, new_images):
    folder = shutil.copytree(exported[0], tmp_path / "copy")
    said = json.loads((folder / "probe.json").read_text())
    said["model"]["weights_file"] = "../network.safetensors"
    (folder / "probe.json").write_text(json.dumps(said))
    (folder / "network.safetensors").rename(tmp_path / "network.safetensors")
    with pytest.raises(WeightsError, match="leads out"):
        load_probe(folder).predict(new_images[0][:1])


def test_no_labels_no_room_no_network(line, fashion, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(ProbeError, match="there exists already"):
        export_probe(line, fashion, tmp_path / "there")
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "1.png").write_bytes(encode(noise(1, 28, 28)))
    flat = load_dataset(DatasetSpec(str(tmp_path / "flat")))
    with pytest.raises(ProbeError, match="the images of flat have none"):
        export_probe(line, flat, tmp_path / "new")
    embeddings = np.random.default_rng(0).normal(size=(200, 4))
    with mounted(tmp_path / "disk", "size=1m") as disk:
        make_read_only(disk)
        with pytest.raises(ProbeError, match="disk/new cannot be written: Read-only file system"):
            export_probe(line, fashion, disk / "new", embeddings=embeddings)
    with pytest.raises(ProbeError, match=r"is no exported probe, which is a folder with probe\."):
        load_probe(tmp_path / "nowhere")


def test_weights_of_the_hub_are_fetched_again_and_must_be_the_same(hub, tmp_path, monkeypatch):
    contents = {
        name: {f"{k}.png": encode(scene(10 * place + k)) for k in range(4)}
        for place, name in enumerate(("cat", "dog, old"))
    }
    dataset = load_dataset(DatasetSpec(str(write_folder(tmp_path / "images", contents))))
    hub.publish_model("test_resnet", seed=3)
    export_probe(RESNET, dataset, tmp_path / "probe")
    assert not list((tmp_path / "probe").glob("network*"))
    images = [dataset[place] for place in range(len(dataset))]
    here = load_probe(tmp_path / "probe").predict(images)
    assert set(here.labels) <= {"cat", "dog, old"}

    elsewhere(tmp_path / "there", monkeypatch)
    there = load_probe(tmp_path / "probe").predict(images)
    np.testing.assert_array_equal(here.probabilities, there.probabilities)

    elsewhere(tmp_path / "later", monkeypatch)
    hub.publish_model("test_resnet", seed=4)
    with pytest.raises(WeightsError) as caught:
        load_probe(tmp_path / "probe").predict(images)
    assert "test_resnet.r160_in1k" in str(caught.value)
    with cache() as weights_cache:  # the new ones are there to be had
        weights_cache.hold(RESNET)


def elsewhere(folder: Path, monkeypatch) -> None:
    """Another machine: nothing is in its caches."""
    import huggingface_hub.constants

    monkeypatch.setenv("ZOO_EVAL_CACHE", str(folder / "zoo_eval"))
    monkeypatch.setenv("HF_HOME", str(folder / "hf"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder / "hf" / "hub"))
