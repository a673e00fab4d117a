"""Published weights from a hub on loopback, found and loaded."""

import hashlib
import io
import os
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import torch

from tests.lines import line
from tests.models.hub_client import (
    RESNET,
    VIT,
    cache,
    download_as_others_do,
    partial_files,
    refusal,
)
from tests.models.hub_server import cut, damaged, status, weights
from zoo_eval.manifest import Manifest
from zoo_eval.models.build import build_model
from zoo_eval.models.published import sources
from zoo_eval.models.published.cached import locate, missing, require_offline
from zoo_eval.models.published.sources import Source, source_of
from zoo_eval.models.timm_config import timm_config


def test_a_network_loads_from_the_cache_without_any_request(hub):
    hub.publish_model("test_resnet", seed=3)
    with cache() as weights_cache:
        weights_cache.hold(RESNET)
    assert hub.methods == ["HEAD", "HEAD", "GET"]
    hub.requests.clear()
    loaded = build_model(RESNET, "pretrained", 0).state_dict()
    assert hub.requests == []
    trained = build_model(RESNET, "init", 3).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in trained.items())


def test_without_a_cache_the_network_is_fetched_first(hub):
    hub.publish_model("test_vit", seed=5)
    built = build_model(VIT, "pretrained", 0)
    trained = build_model(VIT, "init", 5)
    assert torch.equal(built.head.weight, trained.head.weight)


def test_safetensors_are_taken_and_else_the_pytorch_file(hub, tmp_path):
    data = weights("test_resnet", 1)
    torch.save(build_model(RESNET, "init", 2).state_dict(), tmp_path / "w.bin")
    other = (tmp_path / "w.bin").read_bytes()
    hub.publish(
        "timm/test_resnet.r160_in1k", {"model.safetensors": data, "pytorch_model.bin": other}
    )
    hub.publish("timm/test_vit.r160_in1k", {"pytorch_model.bin": other})
    with cache() as weights_cache:
        assert weights_cache.hold(RESNET).name == "model.safetensors"
        assert weights_cache.hold(VIT).name == "pytorch_model.bin"
    assert locate(VIT).read_bytes() == other


def test_a_file_that_others_downloaded_is_used(hub):
    hub.publish_model("test_resnet")
    download_as_others_do("timm/test_resnet.r160_in1k", "model.safetensors")
    hub.requests.clear()
    with cache() as weights_cache:
        weights_cache.hold(RESNET)
    assert weights_cache.n_downloads == 0
    assert hub.requests == []


class Malicious:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def test_a_pickle_of_the_hub_that_would_run_code_is_refused_and_has_not_run(hub, tmp_path):
    file, target = tmp_path / "w.bin", tmp_path / "it_ran"
    torch.save({"x": Malicious(target)}, file)
    hub.publish("timm/test_resnet.r160_in1k", {"pytorch_model.bin": file.read_bytes()})
    message = refusal(build_model, RESNET, "pretrained", 0)
    assert "cannot be loaded without running code from them: " in message
    assert not target.exists()
    torch.load(file, weights_only=False)  # the file is what this test says it is
    assert target.exists()


def test_a_truncated_file_in_the_cache_is_refused_by_name(hub):
    hub.publish_model("test_resnet")
    with cache() as weights_cache:
        path = weights_cache.hold(RESNET)
    path.write_bytes(path.read_bytes()[:-1])
    assert "are not a whole safetensors file: " in refusal(build_model, RESNET, "pretrained", 0)


OLD = "gcvit_xxtiny.in1k"  # one of 15 that are published at a plain address


def old_network(hub, monkeypatch):
    """A line of an old network, with its address on loopback, and what is served there."""
    file = "gcvit_xxtiny_224_nvidia-{}.pth"
    own = line(OLD, label_space="imagenet-1k", image_size="224")
    model = build_model(own, "init", 1)
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    data = buffer.getvalue()
    name = file.format(hashlib.sha256(data).hexdigest()[:8])
    hub.plain[name] = data
    config = replace(timm_config(OLD), url=f"{hub.endpoint}/plain/{name}")
    monkeypatch.setattr(sources, "timm_config", lambda _: config)
    return own, model, name


def test_an_old_network_comes_from_its_address_into_torchs_folder(hub, monkeypatch):
    own, model, name = old_network(hub, monkeypatch)
    with cache(10**9) as weights_cache:
        path = weights_cache.hold(own)
    assert path == Path(torch.hub.get_dir()) / "checkpoints" / name
    assert hub.methods == ["HEAD", "GET"]
    assert weights_cache.peak_bytes == path.stat().st_size
    hub.requests.clear()
    built = build_model(own, "pretrained", 0)
    assert hub.requests == []
    assert torch.equal(built.head.fc.weight, model.head.fc.weight)


def test_an_old_network_survives_faults_too(hub, monkeypatch):
    own, _, name = old_network(hub, monkeypatch)
    hub.faults["HEAD"].append(status(429, Retry_After="1"))
    hub.faults["GET"].extend([status(503), cut(100_000), damaged])
    clock = time.monotonic()
    with cache() as weights_cache:
        assert weights_cache.hold(own).read_bytes() == hub.plain[name]
    assert time.monotonic() - clock >= 1
    assert hub.methods.count("GET") == 4
    assert partial_files() == []


def test_what_is_missing_is_listed(hub):
    hub.publish_model("test_resnet")
    own = line("test_vit.mine", weights_file="w.safetensors")
    unknown = line("test_vit.nobody")
    lines = [RESNET, own, VIT, unknown]
    assert [found.model for found in missing(lines)] == [
        "test_resnet.r160_in1k",
        "test_vit.r160_in1k",
        "test_vit.nobody",
    ]
    with cache() as weights_cache:
        weights_cache.hold(RESNET)
    hub.requests.clear()
    require_offline([RESNET, own])
    assert refusal(require_offline, lines) == (
        "The weights of 2 models are not on this machine: test_vit.r160_in1k, test_vit.nobody. "
        "`zoo-eval fetch JOB` downloads them."
    )
    assert hub.requests == []


def test_a_long_list_is_cut(hub):
    message = refusal(require_offline, Manifest.load("timm-imagenet").lines[:100])
    assert "The weights of 100 models" in message
    assert message.count(",") == 19
    assert " and 80 more. " in message


def test_where_timms_networks_are_published():
    assert source_of(RESNET) == Source(
        "timm/test_resnet.r160_in1k", ("model.safetensors", "pytorch_model.bin")
    )
    kinds = Counter(bool(source_of(own).url) for own in Manifest.load("timm-imagenet"))
    assert kinds[True] == 15
    assert kinds[False] > 1500
    assert "timm knows no weights 'test_vit.nobody'" in refusal(source_of, line("test_vit.nobody"))
