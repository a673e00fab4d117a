from zoo_eval.manifest import Manifest
from zoo_eval.manifest.timm_siblings import name_siblings


def line(model, top1, **facts):
    return {"model": model, "imagenet_top1": top1, "params": "5", "image_size": "224"} | facts


def test_the_nearest_of_the_same_architecture_is_the_sibling():
    lines = [
        line("a.x", "0.70000"),
        line("a.y", "0.72000"),
        line("a.z", "0.73000"),
        line("b.x", "0.72000"),
    ]
    name_siblings(lines)
    assert [each.get("sibling") for each in lines] == ["a.y", "a.z", "a.y", None]


def test_of_equally_near_ones_the_first_by_name():
    lines = [line("a.z", "0.71000"), line("a.x", "0.70000"), line("a.b", "0.72000")]
    name_siblings(lines)
    assert lines[0]["sibling"] == "a.b"


def test_whatever_has_other_tensors_or_sees_other_images_is_none():
    lines = [
        line("a.x", "0.70000"),
        line("a.params", "0.70000", params="6"),
        line("a.size@256", "0.70000", image_size="256"),
        line("a.mean", "0.70000", mean="[0.5, 0.5, 0.5]"),
        line("a.std", "0.70000", std="[0.5, 0.5, 0.5]"),
    ]
    name_siblings(lines)
    assert not any("sibling" in each for each in lines)


def test_those_of_the_imagenet_manifest_resolve():
    with_one = [each for each in Manifest.load("timm-imagenet") if each.sibling]
    assert len(with_one) > 500
    for each in with_one:
        for fact in ("params", "image_size", "mean", "std"):
            assert each.sibling.cells[fact] == each.cells[fact]
