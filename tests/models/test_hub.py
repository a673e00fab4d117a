import socket

import huggingface_hub.constants
import pytest
import torch

from tests.lines import line
from zoo_eval.errors import WeightsError
from zoo_eval.models import hub
from zoo_eval.models.published.cached import missing

RESNET = line("test_resnet.r160_in1k", label_space="imagenet-1k")
VIT = line("test_vit.r160_in1k", label_space="imagenet-1k")
OWN = line("test_vit.mine", weights_file="w.safetensors")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def calls(monkeypatch):
    """Addresses that were asked; what `answers` holds answers."""

    class Asked(list):
        answers: bool = False

    asked = Asked()

    def connect(address, timeout):
        asked.append(address)
        if not asked.answers:
            raise TimeoutError("timed out")
        return socket.socket()

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "https://hub.example")
    return asked


def is_cached(line) -> bool:
    return not list(missing([line]))


def put(cache, repository, file="model.safetensors"):
    """What the hub's client leaves behind after a download."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc" / file).write_bytes(b"weights")


@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_weights_in_the_hubs_cache(cache, file):
    assert not is_cached(RESNET)
    put(cache, "timm/test_resnet.r160_in1k", file)
    assert is_cached(RESNET)
    assert not is_cached(VIT)


def test_weights_that_torch_fetches_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    old = line("gcvit_xxtiny.in1k", label_space="imagenet-1k")
    assert not is_cached(old)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "gcvit_xxtiny_224_nvidia-d1d86009.pth").write_bytes(b"weights")
    assert is_cached(old)


def test_weights_that_timm_does_not_know_are_not_cached(cache):
    assert not is_cached(line("test_resnet.nobody"))
    assert not is_cached(line("unheard_of.nobody"))


@pytest.mark.parametrize(
    ("endpoint", "address"),
    [
        ("https://hub.example", ("hub.example", 443)),
        ("http://hub.example", ("hub.example", 80)),
        ("http://mirror:8080/x", ("mirror", 8080)),
    ],
)
def test_the_hub_is_asked_on_its_port(calls, monkeypatch, endpoint, address):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
    assert not hub.is_reachable()
    calls.answers = True
    assert hub.is_reachable()
    assert calls == [address, address]


@pytest.mark.parametrize(
    ("proxy", "address"),
    [
        ("http://gate:3128", ("gate", 3128)),
        ("gate:3128", ("gate", 3128)),
        ("https://gate", ("gate", 443)),
    ],
)
def test_behind_a_proxy_the_proxy_is_asked(calls, monkeypatch, proxy, address):
    monkeypatch.setenv("https_proxy", proxy)
    hub.is_reachable()
    monkeypatch.setenv("no_proxy", "hub.example")
    hub.is_reachable()
    assert calls == [address, ("hub.example", 443)]


@pytest.mark.parametrize(("value", "asked"), [("1", 0), ("ON", 0), ("0", 1), ("", 1)])
def test_the_hub_is_not_asked_offline(calls, monkeypatch, value, asked):
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    calls.answers = True
    assert hub.is_reachable() == bool(asked)
    assert len(calls) == asked


def test_nothing_is_asked_if_nothing_is_missing(cache, calls):
    put(cache, "timm/test_resnet.r160_in1k")
    hub.require_weights([RESNET, OWN])
    assert calls == []


def test_missing_weights_are_no_matter_if_the_hub_answers(cache, calls):
    calls.answers = True
    hub.require_weights([RESNET, VIT])
    assert len(calls) == 1


def test_missing_weights_without_the_hub(cache, calls, monkeypatch):
    put(cache, "timm/test_resnet.r160_in1k")
    message = (
        "The weights of 1 of 2 models, test_vit.r160_in1k first, are not on this machine, and the "
        "model hub {}. Connect, or fill the hub's cache, or choose other weights in the job "
        '(weights = ["init"]).'
    )
    with pytest.raises(WeightsError) as caught:
        hub.require_weights(iter([RESNET, OWN, VIT]))
    assert str(caught.value) == message.format("cannot be reached")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError) as caught:
        hub.require_weights([RESNET, OWN, VIT])
    assert str(caught.value) == message.format("may not be asked (HF_HUB_OFFLINE is set)")
