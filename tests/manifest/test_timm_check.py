import csv
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from zoo_eval.manifest.timm_check import check_lines

MANIFEST = Path(__file__).parents[2] / "manifests" / "timm-imagenet.csv"


def test_known_models_are_not_listed():
    assert check_lines(["resnet50.a1_in1k", "resnet50", "convnext_base.fb_in22k_ft_in1k"]) == []


def test_no_models():
    assert check_lines([]) == []


def test_unknown_architecture_and_unknown_tag_in_the_order_given():
    models = ["vgg11.a1_in1k", "resnet50.a1_in1k", "resnet5000.a1_in1k", "", "vgg11"]
    timm = f"timm {version('timm')}"
    assert check_lines(models) == [
        ("vgg11.a1_in1k", f"{timm} has no weights 'a1_in1k' for vgg11, only: tv_in1k"),
        ("resnet5000.a1_in1k", f"{timm} has no architecture 'resnet5000'"),
        ("", f"{timm} has no architecture ''"),
    ]


def test_nothing_is_constructed_for_the_committed_manifest(monkeypatch):
    def refuse(*_, **__):
        pytest.fail("a network was constructed")

    with MANIFEST.open(newline="", encoding="utf-8") as file:
        models = [line["model"] for line in csv.DictReader(file)]
    check_lines([])  # importing timm constructs some modules of its own
    monkeypatch.setattr(torch.nn.Module, "__init__", refuse)
    assert check_lines(models) == []
