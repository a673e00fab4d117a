from dataclasses import replace

import pytest

from zoo_eval import Manifest
from zoo_eval.errors import ManifestError
from zoo_eval.ranking.candidates import LeftOut, ModelLimits, candidates, published

LITE = Manifest.load("imagenet-lite")  # 4.65 M, 5.42 M and 6.09 M parameters, apache-2.0


def names(limits: ModelLimits) -> list[str]:
    return [line.model.partition(".")[0][-5:] for line in candidates(LITE, limits).manifest]


def test_without_limits_all_may_run():
    found = candidates(LITE)
    assert found.manifest == LITE
    assert found.left_out == ()


def test_limits_are_inclusive_and_say_why():
    found = candidates(LITE, ModelLimits(max_params=5_420_000))
    assert [line.model for line in found.manifest] == [
        "tf_efficientnet_lite0.in1k",
        "tf_efficientnet_lite1.in1k",
    ]
    assert found.left_out == (LeftOut("tf_efficientnet_lite2.in1k", "limits", "6,090,000 params"),)


def test_all_limits_hold_together():
    assert names(ModelLimits(max_macs=1e9, where="params > 5e6")) == ["lite1", "lite2"]
    assert names(ModelLimits(licences=("Apache-2.0", "MIT"))) == ["lite0", "lite1", "lite2"]


def test_what_the_manifest_does_not_say_is_beyond_a_limit():
    silent = tuple(
        replace(line, cells={**line.cells, "params": None, "licence": None}) if not place else line
        for place, line in enumerate(LITE.lines)
    )
    manifest = replace(LITE, lines=silent)
    for limits, reason in (
        (ModelLimits(max_params=1e12), "its params are not known"),
        (ModelLimits(licences=("apache-2.0",)), "its licence is not known"),
    ):
        assert candidates(manifest, limits).left_out == (
            LeftOut("tf_efficientnet_lite0.in1k", "limits", reason),
        )


def test_limits_that_leave_nobody_are_an_error_that_names_one():
    with pytest.raises(
        ManifestError, match=r"None of the 3 networks of imagenet-lite.*licence apach"
    ):
        candidates(LITE, ModelLimits(licences=("MIT",)))


def test_published_accuracy_is_that_of_imagenet():
    assert published(LITE.lines[0]) == 0.74846
    assert published(Manifest.load("fashion").lines[0]) is None
