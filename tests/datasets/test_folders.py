"""Folders as users bring them: nested, mixed, hidden, linked, named in any script, unlabelled."""

import io
import os

import pytest
from PIL import Image

from tests.datasets.images import colours, encode, png, write_classes, write_folder
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets.folders import files_in, natural_order
from zoo_eval.datasets.sources import list_source
from zoo_eval.errors import DatasetError
from zoo_eval.models.torchvision_ops import ensure_torchvision


def load(source, **choice):
    return load_dataset(DatasetSpec(str(source), **choice))


def refusal(source, **choice) -> str:
    with pytest.raises(DatasetError) as caught:
        load(source, **choice)
    return str(caught.value)


def test_the_order_is_timms(tmp_path):
    ensure_torchvision()
    from timm.data.readers.reader_image_folder import find_images_and_targets

    names = ["10.png", "9.png", "a2b10.jpg", "a2b9.JPG", "Z.jpeg", "é.png"]
    folders = ["c10", "c9", "B", "a", "x/c11"]
    write_folder(tmp_path, {folder: dict.fromkeys(names, png(1)) for folder in folders})
    pairs, ids = find_images_and_targets(str(tmp_path))
    listing = list_source(DatasetSpec(str(tmp_path)))
    assert [str(tmp_path / record.name) for record in listing.records] == [f for f, _ in pairs]
    assert list(listing.classes) == list(ids)
    assert [ids[record.label] for record in listing.records] == [place for _, place in pairs]


def test_a_superscript_is_no_number():
    # timm 1.0.20 fails here: "²".isdigit() is true, but it is no int.
    assert sorted(["5²", "5", "10²", "²"], key=natural_order) == ["5", "5²", "10²", "²"]


KINDS = {
    "a.png": "PNG",
    "b.JPG": "JPEG",
    "c.webp": "WEBP",
    "d.bmp": "BMP",
    "e.gif": "GIF",
    "f.tiff": "TIFF",
    "g.jp2": "JPEG2000",
    "h.ppm": "PPM",
}


def test_mixed_formats(tmp_path):
    grey = Image.new("RGB", (16, 16), (90, 90, 90))
    files = {name: encode(grey, kind) for name, kind in KINDS.items()}
    write_folder(tmp_path, {"mixed": {**files, "notes.txt": b"x", "i.heic": b"x"}})
    write_classes(tmp_path, {"other": [1]})
    dataset = load(tmp_path)
    assert dataset.skipped == ()
    assert dataset.labels == (0,) * len(KINDS) + (1,)
    assert all(abs(colour - 90) <= 1 for colour in colours(dataset)[:-1])


def test_a_nested_folder_has_the_class_that_is_asked_for(tmp_path):
    for place, folder in enumerate(["train/cat", "train/dog", "test/cat", "test/dog"]):
        write_folder(tmp_path, {folder: {"x.png": png(place)}})
    last = load(tmp_path)
    assert (last.classes, last.labels) == (("cat", "dog"), (0, 0, 1, 1))
    assert colours(last) == [2, 0, 3, 1]  # test before train
    first = load(tmp_path, class_folder="first")
    assert (first.classes, first.labels) == (("test", "train"), (0, 0, 1, 1))
    without = load(tmp_path, class_folder="none")
    assert (without.classes, without.labels, without.labelled) == ((), (0,) * 4, False)
    assert len({dataset.digest for dataset in (last, first, without)}) == 3


def test_hidden_folders_and_files_are_no_images(tmp_path):
    write_classes(tmp_path, {"cat": [1], "dog": [2]})
    write_classes(tmp_path, {"cat/.ipynb_checkpoints": [3], "__MACOSX": [4], ".git": [5]})
    (tmp_path / "dog" / "._002.png").write_bytes(b"Mac OS X")
    dataset = load(tmp_path)
    assert (dataset.classes, colours(dataset), dataset.skipped) == (("cat", "dog"), [1, 2], ())


def test_a_link_that_leads_back_is_not_followed(tmp_path):
    write_classes(tmp_path / "data", {"cat": [1], "dog": [2]})
    (tmp_path / "data" / "cat" / "again").symlink_to(tmp_path / "data")
    write_classes(tmp_path / "elsewhere", {"eel": [3]})
    (tmp_path / "data" / "eel").symlink_to(tmp_path / "elsewhere" / "eel")
    dataset = load(tmp_path / "data")
    assert (dataset.classes, colours(dataset)) == (("cat", "dog", "eel"), [1, 2, 3])


def test_names_in_any_script_and_with_commas(tmp_path):
    names = ["Häuser", "кошка", "猫", "a, b", 'with "quotes"', "5²"]
    write_classes(tmp_path, {name: [place] for place, name in enumerate(names)})
    dataset = load(tmp_path)
    assert set(dataset.classes) == set(names)
    seen = [names[colour] for colour in colours(dataset)]
    assert seen == [dataset.classes[label] for label in dataset.labels]
    assert load(tmp_path, classes=("猫", "a, b")).classes == ("a, b", "猫")


def test_a_name_that_is_no_text_can_be_printed(tmp_path):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    os.mkdir(folder)
    with open(folder + b"/\xe9.png", "wb") as file:
        file.write(png(1))
    write_classes(tmp_path, {"tea": [2]})
    dataset = load(tmp_path)
    assert dataset.classes == ("caf\\xe9", "tea")
    [name] = [r.name for r in list_source(DatasetSpec(str(tmp_path))).records if r.label != "tea"]
    print(name, file=io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    assert name == "caf\\xe9/\\xe9.png"


def test_images_beside_one_another_have_no_labels(tmp_path):
    for colour in (1, 2, 10):
        (tmp_path / f"{colour}.png").write_bytes(png(colour))
    dataset = load(tmp_path)
    assert (dataset.classes, dataset.labels, colours(dataset)) == ((), (0, 0, 0), [1, 2, 10])
    assert not dataset.labelled
    few = load(tmp_path, images_per_class=2)
    assert len(few) == 2
    assert few.digest == load(tmp_path, images_per_class=2).digest != dataset.digest
    assert refusal(tmp_path, classes=("a", "b")) == (
        f"{tmp_path} has no class 'a'; its images have no labels."
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read(tmp_path):
    write_classes(tmp_path, {"cat": [1], "dog": [2]})
    (tmp_path / "cat").chmod(0)
    assert refusal(tmp_path) == f"{tmp_path / 'cat'} cannot be read: Permission denied."


def test_a_folder_that_vanishes_is_no_empty_one(tmp_path):
    with pytest.raises(DatasetError, match="gone cannot be read: No such file or directory"):
        list(files_in(tmp_path / "gone"))
