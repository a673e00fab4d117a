"""The standard subsets on facts made by hand; every family of timm's manifest has a kind."""

import numpy as np
import pandas as pd
import pytest

from zoo_eval.manifest import Manifest
from zoo_eval.report.subsets import kind, standard_subsets

FACTS = pd.DataFrame(
    [
        ("resnet50.a1_in1k", "resnet", "in1k", 224, 0.80),
        ("resnet50.a1_in1k@288", "resnet", "in1k", 288, 0.81),
        ("resnet50.fb_swsl", "resnet", "ig1b", 224, 0.81),
        ("vit_base.mae", "vision_transformer", "in1k-mim", 384, 0.84),
        ("caformer_s18.in1k", "metaformer", "in1k", 320, 0.83),
        ("convformer_s18.in1k", "metaformer", "in1k", 240, np.nan),
        ("mixer_b16.goog", "mlp_mixer", "in21k", 224, 0.76),
        ("mine", "my_own", None, np.nan, 0.5),
    ],
    columns=["model", "family", "pretraining", "image_size", "top1"],
).set_index("model")


def subsets(facts=FACTS):
    return standard_subsets(facts.drop(columns="top1", errors="ignore"), FACTS["top1"])


@pytest.mark.parametrize(
    ("subset", "members"),
    [
        ("all", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("ImageNet-1k only", [0, 1, 3, 4, 5]),
        # resnet50: 0.81 twice, the first by name; convformer_s18 has no accuracy.
        ("one per architecture", [1, 3, 4, 6, 7]),
        ("CNN", [0, 1, 2, 5]),
        ("transformer", [3]),
        ("hybrid", [4]),
        ("MLP", [6]),
        ("below 256 px", [0, 2, 5, 6]),
        ("256 to 320 px", [1, 4]),
        ("above 320 px", [3]),
    ],
)
def test_members(subset, members):
    assert subsets()[subset].to_numpy().nonzero()[0].tolist() == members


def test_there_is_no_other_subset_and_none_that_is_empty():
    assert len(subsets().columns) == 10
    assert subsets().dtypes.eq(bool).all()
    facts = FACTS[["family"]].replace({"mlp_mixer": "my_own"})
    assert list(subsets(facts)) == ["all", "one per architecture", "CNN", "transformer", "hybrid"]


def test_the_order_of_the_models_does_not_matter():
    pd.testing.assert_frame_equal(subsets(FACTS[::-1]), subsets()[::-1])


def test_every_model_of_timms_manifest_has_a_kind():
    lines = list(Manifest.load("timm-imagenet"))
    kinds = pd.Series([kind(line.family, line.architecture) for line in lines])
    assert kinds.value_counts().index.tolist() == ["cnn", "transformer", "hybrid", "mlp", "other"]
    index = pd.Index([line.model for line in lines])
    facts = pd.DataFrame([line.cells for line in lines], index)
    found = standard_subsets(facts, facts["imagenet_top1"])
    assert found["all"].all()
    assert found["one per architecture"].sum() == len({line.architecture for line in lines})
    # manifests/README.md counts 1,191 and 24 lines.
    assert found["ImageNet-1k only"].sum() == 1191 + 24
    sizes = found[["below 256 px", "256 to 320 px", "above 320 px"]]
    assert (sizes.sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("family", "architecture", "expected"),
    [
        ("mobilenetv3", "mobilenetv4_hybrid_large", "hybrid"),
        ("mobilenetv3", "mobilenetv4_conv_large", "cnn"),
        ("fastvit", "fastvit_sa12", "hybrid"),
        ("fastvit", "fastvit_s12", "cnn"),
        ("byobnet", "bat_resnext26ts", "hybrid"),
        ("sequencer", "sequencer2d_s", "other"),
        ("my_own", "resnet50", ""),
    ],
)
def test_the_longest_beginning_decides(family, architecture, expected):
    assert kind(family, architecture) == expected
