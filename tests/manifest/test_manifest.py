from pathlib import Path

import pytest

from zoo_eval.builtin import builtin_manifests
from zoo_eval.errors import ManifestError
from zoo_eval.manifest import Manifest

HEADER = "model,family,label_space,image_size,source,params,pretraining,imagenet_top1,extra\n"
TWO = (
    "a.x,fam,imagenet-1k,224,here,1000,in1k,0.5,3\nb.y,fam,imagenet-1k,224,here,2000,in21k,0.6,x\n"
)


def write(folder: Path, text: str) -> Path:
    path = folder / "zoo.csv"
    path.write_text(text)
    return path


def test_lines_have_types_and_accuracies(tmp_path):
    manifest = Manifest.load(write(tmp_path, HEADER + TWO))
    first = manifest.lines[0]
    assert (manifest.name, len(manifest)) == ("zoo", 2)
    assert (first.model, first.architecture, first.image_size) == ("a.x", "a", 224)
    assert first.cells["params"] == 1000
    assert first.accuracies() == {("imagenet", "top1"): 0.5}


def test_a_size_behind_the_name_is_no_part_of_timms_name(tmp_path):
    line = Manifest.load(write(tmp_path, HEADER + TWO.replace("a.x", "a.x@288"))).lines[0]
    assert (line.model, line.timm_name, line.architecture) == ("a.x@288", "a.x", "a")


SIBLINGS = (
    "model,family,arguments,label_space,image_size,source,sibling\n"
    'net.a,fam,"{""w"": 1}",x,28,here,net.b\n'
    'net.b,fam,"{""w"": 1}",x,28,here,\n'
    'net.c,fam,"{""w"": 2}",x,28,here,\n'
    "other.a,fam,,x,28,here,\n"
)


def test_a_sibling_is_another_line_whatever_is_filtered(tmp_path):
    manifest = Manifest.load(write(tmp_path, SIBLINGS))
    siblings = [line.sibling and line.sibling.model for line in manifest]
    assert siblings == ["net.b", None, None, None]
    (line,) = manifest.where("model = 'net.a'").lines
    assert line.sibling.model == "net.b"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("net.a", "the sibling of net.a is itself"),
        ("net.z", "the sibling of net.a is 'net.z', which is no line of this manifest"),
        ("net.c", "net.c cannot be the sibling of net.a: its arguments is {'w': 2}, not {'w': 1}"),
        ("other.a", "its architecture is 'other', not 'net'"),
    ],
)
def test_what_is_no_sibling(tmp_path, name, message):
    text = SIBLINGS.replace("here,net.b", f"here,{name}")
    with pytest.raises(ManifestError, match=message):
        Manifest.load(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + TWO + TWO, "line 4: a.x stands in line 2 already"),
        (HEADER.replace("family,", "") + "a,b\n", "column 'family' is missing"),
        (HEADER + TWO.replace("0.5", "76.1"), "line 2: imagenet_top1 = '76.1' is not a fraction"),
        (HEADER + TWO.replace("0.5", "76.1"), "76.1 per cent is written 0.761"),
        (HEADER + TWO.replace("0.5", "high"), "imagenet_top1 = 'high' is not a number"),
        (HEADER + TWO.replace("0.5", "nan"), "imagenet_top1 = 'nan' is not a finite number"),
        (HEADER + TWO.replace("224", "big"), "image_size = 'big' is not a whole number"),
        (HEADER + TWO.replace("a.x", ""), "line 2: model is empty"),
        (HEADER + "a.x,fam\n", "line 2: 9 cells are needed"),
        (HEADER, "no model below it"),
        ("", "column 'model' is missing"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, message):
    with pytest.raises(ManifestError) as caught:
        Manifest.load(write(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_manifest_names_the_builtin_ones():
    with pytest.raises(ManifestError, match=r"neither a CSV file nor one of.*timm-imagenet"):
        Manifest.load("nosuch")


def test_binary_file(tmp_path):
    path = tmp_path / "zoo.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ManifestError, match="cannot be read as UTF-8"):
        Manifest.load(path)


def test_filters_are_duckdb_sql(tmp_path):
    manifest = Manifest.load(write(tmp_path, HEADER + TWO))
    assert [m.model for m in manifest.where("params < 1.5e3 and pretraining = 'in1k'")] == ["a.x"]
    assert [m.model for m in manifest.where("params > 0 -- all of them")] == ["a.x", "b.y"]


@pytest.mark.parametrize(
    "condition",
    [
        "parms < 3",
        "params <",
        "1=1) UNION SELECT content FROM read_text('/etc/hostname') --",
        "params IN (SELECT 1 FROM read_csv('/etc/passwd'))",
    ],
)
def test_a_filter_that_is_not_a_condition_over_the_manifest(tmp_path, condition):
    with pytest.raises(ManifestError, match="is not valid"):
        Manifest.load(write(tmp_path, HEADER + TWO)).where(condition)


def test_a_filter_that_nothing_fulfils(tmp_path):
    with pytest.raises(ManifestError, match="No model of the 2 in zoo fulfils: params < 3"):
        Manifest.load(write(tmp_path, HEADER + TWO)).where("params < 3")


@pytest.mark.parametrize("name", sorted(builtin_manifests()))
def test_builtin_manifests_are_valid(name):
    manifest = Manifest.load(name)
    assert len(manifest) > 0
    assert all(line.accuracies() for line in manifest)
