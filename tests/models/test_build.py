import hashlib
import time

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import save_file

from tests.lines import line
from zoo_eval.errors import ModelError, WeightsError
from zoo_eval.models.build import build_model, construct


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(first, second):
    assert first.keys() == second.keys()
    return all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize("weights", ["init", "init-neutral"])
@pytest.mark.parametrize("model", ["test_resnet.x", "test_vit.x", "test_nfnet.x"])
def test_a_seed_gives_the_same_network_bit_by_bit_and_another_seed_another(model, weights):
    first = state(build_model(line(model), weights, 3))
    torch.rand(5)  # whatever happened before does not matter
    assert same(first, state(build_model(line(model), weights, 3)))
    other = state(build_model(line(model), weights, 4))
    drawn = [name for name, value in first.items() if value.ndim > 1 and value.unique().numel() > 1]
    assert drawn
    assert not any(torch.equal(first[name], other[name]) for name in drawn)


def test_a_network_comes_in_eval_mode_and_ready_for_gradients():
    model = build_model(line("test_resnet.x"), "init", 0)
    assert not any(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize(
    ("cells", "n_outputs"),
    [
        ({"label_space": "fashion-mnist"}, 10),
        ({"label_space": "imagenet-1k"}, 1000),
        ({"label_space": "birds", "arguments": '{"num_classes": 7}'}, 7),
        ({"label_space": "fashion-mnist", "arguments": '{"num_classes": 3}'}, 3),
    ],
)
def test_the_head_has_the_label_spaces_classes(cells, n_outputs):
    model = build_model(line("test_efficientnet.x", **cells), "init", 0)
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, 32, 32)).shape == (1, n_outputs)


def test_constructor_arguments_of_the_manifest():
    cells = {"arguments": '{"channels": [8, 16, 24, 32], "stem_width": 8}'}
    small = build_model(line("test_resnet.x", **cells), "init", 0)
    assert small.num_features == 32
    assert small.conv1[0].out_channels == 8


@pytest.mark.parametrize("size", ["64", "160"])
@pytest.mark.parametrize("model", ["test_vit.x", "test_resnet.x"])
def test_networks_are_built_for_the_manifests_image_size(model, size):
    # timm's own size is 160. A ViT's position table must be told; a ResNet refuses to be told.
    network = build_model(line(model, image_size=size), "init", 0)
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, int(size), int(size))).shape == (1, 10)
    if model == "test_vit.x":
        assert network.pos_embed.shape[1] == 1 + (int(size) // 16) ** 2


def test_pretrained_weights_of_the_manifest_are_what_is_in_the_file(tmp_path):
    trained = build_model(line("test_byobnet.x"), "init", 11)
    save_file(trained.state_dict(), tmp_path / "w.safetensors")
    sha256 = hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    own = line("test_byobnet.x", tmp_path, weights_file="w.safetensors", weights_sha256=sha256)
    assert same(state(build_model(own, "pretrained", 0)), state(trained))
    assert not same(state(build_model(own, "init", 0)), state(trained))


def one_line(error) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("weights", ["init", "pretrained"])
def test_an_architecture_that_timm_does_not_know(weights):
    with pytest.raises(ModelError) as caught:
        build_model(line("resnet9000.x"), weights, 0)
    assert "knows no architecture 'resnet9000'" in one_line(caught)


@pytest.mark.parametrize("arguments", ['{"wings": 2}', '{"block": "none"}', '{"depths": 3}'])
def test_arguments_that_timm_refuses(arguments):
    with pytest.raises(ModelError) as caught:
        build_model(line("test_resnet.x", arguments=arguments), "init", 0)
    key = arguments.split('"')[1]
    assert f"timm cannot construct test_resnet.x with {{'{key}': " in one_line(caught)


def test_arguments_that_do_not_fit_together():
    with pytest.raises(ModelError, match=r"timm cannot construct test_vit\.x with .*'num_heads'"):
        build_model(line("test_vit.x", arguments='{"num_heads": 7}'), "init", 0)


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """No hub, and nothing of it on this machine."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    # The hub's client read the variable when it was imported.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.usefixtures("offline")
def test_weights_of_the_hub_without_a_network():
    own = line("test_resnet.r160_in1k", label_space="imagenet-1k")
    build_model(own, "init", 0)  # what is imported late, is now imported
    clock = time.process_time()
    with pytest.raises(WeightsError) as caught:
        build_model(own, "pretrained", 0)
    assert time.process_time() - clock < 5
    assert one_line(caught) == (
        "The weights of test_resnet.r160_in1k cannot be downloaded from "
        "timm/test_resnet.r160_in1k: they are not on this machine, and HF_HUB_OFFLINE is set"
    )


@pytest.mark.usefixtures("offline")
def test_weights_that_the_hub_does_not_have():
    with pytest.raises(ModelError) as caught:
        build_model(line("test_resnet.nobody"), "pretrained", 0)
    assert one_line(caught) == (
        "timm knows no weights 'test_resnet.nobody'. `zoo-eval manifest check` lists such lines."
    )


def test_networks_can_be_constructed_without_contents():
    model = construct(line("test_vit.x"), "test_vit", device="meta")
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}
