import pytest
import torch

from tests.lines import line
from zoo_eval.manifest import Manifest
from zoo_eval.models import architectures
from zoo_eval.models.architectures import ArchitectureCheck, check_architectures
from zoo_eval.models.build import build_model
from zoo_eval.quantities.forward import embed


def test_the_first_architectures_of_the_manifest():
    names = list(dict.fromkeys(line.architecture for line in Manifest.load("timm-imagenet")))
    checks = list(check_architectures(limit=3))
    assert [check.architecture for check in checks] == names[:3]
    assert [check.reason for check in checks] == [None] * 3
    # What timm itself states: the width of the layer before the head.
    timm_says = [build_model_without_contents(name).head_hidden_size for name in names[:3]]
    assert [check.n_features for check in checks] == timm_says


def build_model_without_contents(name):
    import timm

    return timm.create_model(name, device="meta")


@pytest.fixture
def manifest(monkeypatch):
    """Checks these lines instead of the ImageNet manifest."""

    def use(*lines):
        monkeypatch.setattr(architectures.Manifest, "load", lambda name: lines)

    return use


def test_feature_counts_are_those_of_a_real_forward_pass(manifest):
    lines = [
        line(f"{name}.r160_in1k", label_space="imagenet-1k", image_size="160")
        for name in ("test_resnet", "test_vit", "test_efficientnet")
    ]
    manifest(*lines)
    for check, own in zip(check_architectures(), lines, strict=True):
        with torch.inference_mode():
            embeddings, _ = embed(build_model(own, "init", 0), torch.zeros(2, 3, 160, 160))
        assert check == ArchitectureCheck(own.architecture, embeddings.shape[1], None)


def test_an_architecture_is_checked_once_and_a_failure_stops_nothing(manifest):
    imagenet = {"label_space": "imagenet-1k", "image_size": "160"}
    manifest(
        line("test_resnet.r160_in1k", **imagenet),
        line("test_resnet.other", **imagenet),
        line("resnet9000.x", **imagenet, crop="1", interpolation="bicubic", mean="[0]", std="[1]"),
        line("test_vit.r160_in1k", image_size="160", arguments='{"num_classes": 10}'),
        line("test_efficientnet.r160_in1k", **imagenet),
    )
    checks = list(check_architectures())
    assert [(check.architecture, check.n_features is None) for check in checks] == [
        ("test_resnet", False),
        ("resnet9000", True),
        ("test_vit", True),
        ("test_efficientnet", False),
    ]
    assert "knows no architecture 'resnet9000'" in checks[1].reason
    assert checks[2].reason == "gives 10 logits where 1,000 are needed"
