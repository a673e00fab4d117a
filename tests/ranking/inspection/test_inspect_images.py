"""Data as users bring it: everything odd is found, said on one screen, and nothing is fatal."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.datasets.images import encode, png, write_classes, write_folder
from tests.disks import make_read_only, mounted
from tests.ranking.scenes import scene
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.errors import DatasetError
from zoo_eval.ranking.inspection import Sizes, inspect_images, inspection_text


def jpeg(seed: int, quality: int = 90, size: tuple[int, int] = (120, 90)) -> bytes:
    return encode(scene(seed, *size), "JPEG", quality=quality)


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> Path:
    """A folder with about everything that goes wrong."""
    folder = tmp_path_factory.mktemp("odd")
    grey16 = Image.fromarray(np.asarray(scene(35, 40, 40).convert("L")).astype(np.uint16) * 257)
    train_cat = {
        **{f"{seed}.jpg": jpeg(seed) for seed in range(8)},
        "same.jpg": jpeg(0),
        "near.webp": encode(scene(1, 60, 45), "WEBP"),
        "cut.jpg": jpeg(50)[:400],
        "text.jpg": b"not found",
        "Thumbs.db": b"x",
        "phone.HEIC": b"x",
        "phone2.heic": b"x",
        "README": b"x",
    }
    write_folder(
        folder,
        {
            "train/cat": train_cat,
            "train/dog": {
                **{f"{seed}.png": encode(scene(seed)) for seed in range(20, 26)},
                "wrong.jpg": jpeg(2),
                "cmyk.jpg": encode(scene(30).convert("CMYK"), "JPEG"),
                "grey.png": encode(scene(31).convert("L")),
                "deep.png": encode(grey16),
                "wide.png": encode(scene(32, 310, 100)),
                "tall.png": encode(scene(33, 100, 300)),  # just not too long
                "tiny.png": encode(scene(34, 31, 40)),
                "flat.png": png(7, (64, 64)),
            },
            "test/cat": {"leak.jpg": jpeg(3), "near leak.jpg": jpeg(4, quality=40)},
            "test/eel": {"only.gif": encode(scene(40), "GIF")},
            "test/gone": {"x.png": b""},
        },
    )
    return folder


def test_everything_odd_is_found(odd):
    seen: list[tuple[int, int]] = []
    found = inspect_images(odd, on_image=lambda done, of: seen.append((done, of)))
    assert seen == [(n, 30) for n in range(1, 31)]
    assert found.n_images == 27
    assert found.classes == {"cat": 12, "dog": 14, "eel": 1, "gone": 0}
    assert found.splits == {"train": 24, "test": 3}
    assert (found.class_folder, found.other_parents) == ("last", ())
    assert found.formats == {"JPEG": 13, "PNG": 12, "WEBP": 1, "GIF": 1}
    assert found.modes == {"RGB": 23, "CMYK": 1, "L": 1, "I;16": 1, "P": 1}
    assert found.sizes == Sizes((31, 40), (120, 90), (310, 100))
    assert [name for name, _ in found.unreadable] == [
        *("test/gone/x.png", "train/cat/cut.jpg", "train/cat/text.jpg")
    ]
    assert dict(found.unreadable)["train/cat/text.jpg"] == "9 bytes that are no image"
    assert found.ignored == {".heic": 2, ".db": 1, "without an ending": 1}
    copies = {copies.images: copies for copies in found.copies}
    cat, dog = "train/cat/", "train/dog/"
    exact = {images for images, each in copies.items() if each.exact}
    assert exact == {
        (cat + "0.jpg", cat + "same.jpg"),
        (cat + "2.jpg", dog + "wrong.jpg"),
        ("test/cat/leak.jpg", cat + "3.jpg"),
    }
    assert copies.keys() - exact == {
        (cat + "1.jpg", cat + "near.webp"),
        ("test/cat/near leak.jpg", cat + "4.jpg"),
    }
    assert copies[cat + "2.jpg", dog + "wrong.jpg"].labels == ("cat", "dog")
    assert copies["test/cat/leak.jpg", cat + "3.jpg"].splits == ("test", "train")
    assert (found.tiny, found.long) == ((dog + "tiny.png",), (dog + "wide.png",))
    assert found.blank == (dog + "flat.png",)
    assert found.classes_with(12) == ("cat", "dog")
    assert {shortage.score for shortage in found.shortages if shortage.undefined} == {
        *("linear_probe_accuracy", "poincare_ncm_gain", "few_shot_accuracy")
    }


def test_one_screen_of_text(odd):
    text = inspection_text(inspect_images(odd))
    assert (
        text.replace(str(odd), "ODD")
        == """\
ODD: 27 images of 4 classes, 0 to 14 each (gone 0, eel 1, cat 12, dog 14).
All parts are taken together: train 24, test 3.
JPEG 13, PNG 12, GIF 1, WEBP 1; 31 × 40 to 310 × 100 pixels, median 120 × 90; palette 1, CMYK 1, \
16-bit grey 1, grey 1, made RGB.
! 3 images cannot be read: test/gone/x.png (0 bytes that are no image), train/cat/cut.jpg \
(Truncated File Read), train/cat/text.jpg (9 bytes that are no image)
! 4 files not taken for images: .heic 2, .db 1, without an ending 1
! 1 class without a readable image: gone
! 3 images the same file as another: test/cat/leak.jpg = train/cat/3.jpg
! 2 images nearly the same as another: test/cat/near leak.jpg = train/cat/4.jpg
! 1 group of copies with more than one label: train/cat/2.jpg = train/dog/wrong.jpg are cat and dog
! 2 groups of copies in test and train, which makes a test too easy: \
test/cat/leak.jpg = train/cat/3.jpg
! 1 image with a side below 32 pixels: train/dog/tiny.png
! 1 image more than 3 times as long as wide, of which most networks see the middle: \
train/dog/wide.png
! 1 image of a single colour: train/dog/flat.png
! No value for linear_probe_accuracy, poincare_ncm_gain: 5 images of each class are needed; \
2 classes have fewer than 5, the smallest, 'gone', 0
! No value for few_shot_accuracy: 5 classes of 6 images are needed; 2 classes have so many
! knn_accuracy, ncm_accuracy, ridge_probe_accuracy will be too low: an image that is \
alone in its class is never taken for it; 2 classes have fewer than 2, the smallest, 'gone', 0"""
    )


def test_json_says_all_of_it(odd):
    found = inspect_images(odd)
    as_json = json.loads(found.to_json())
    assert as_json == json.loads(json.dumps(asdict(found)))
    assert as_json["classes"]["dog"] == 14


def test_images_without_fault(tmp_path):
    classes = {name: {f"{n}.png": encode(scene(10 * place + n)) for n in range(6)} for place, name
               in enumerate("abcde")}  # fmt: skip
    found = inspect_images(str(write_folder(tmp_path, classes)))
    assert (found.copies, found.shortages, found.unreadable, found.ignored) == ((), (), (), {})
    assert inspection_text(found) == (
        f"{tmp_path}: 30 images of 5 classes, 6 each.\nPNG 30; all 120 × 90 pixels.\n"
        "Nothing about them looks wrong."
    )


def test_folders_that_could_be_the_classes_are_named(tmp_path):
    for place, folder in enumerate(["cat/left", "cat/right", "dog/left", "dog/right"]):
        write_folder(tmp_path, {folder: {"x.png": encode(scene(place))}})
    found = inspect_images(tmp_path)
    assert found.classes == {"left": 2, "right": 2}
    assert found.other_parents == ("cat", "dog")
    assert inspection_text(found).splitlines()[1] == (
        "Classes are the folders that images lie in; these lie in cat, dog. If those are the "
        "classes, say class folder first."
    )
    first = inspect_images(DatasetSpec(str(tmp_path), class_folder="first"))
    assert (first.classes, first.other_parents) == ({"cat": 2, "dog": 2}, ())


def test_one_class(tmp_path):
    write_folder(tmp_path, {"cat": {f"{n}.png": encode(scene(n)) for n in range(3)}})
    found = inspect_images(tmp_path)
    assert found.classes == {"cat": 3}
    assert inspection_text(found).splitlines()[2:] == [
        "! No value for scores with labels: they compare classes, and there is only 'cat'"
    ]


def test_no_labels(tmp_path):
    for seed in range(3):
        (tmp_path / f"{seed}.png").write_bytes(encode(scene(seed)))
    found = inspect_images(tmp_path)
    assert (found.labelled, found.classes, found.class_folder) == (False, {}, "")
    assert inspection_text(found).splitlines()[0] == f"{tmp_path}: 3 images without labels."
    nested = inspect_images(DatasetSpec(str(tmp_path), class_folder="none"))
    assert nested.n_images == 3


def test_two_images_of_each_class_and_none_that_can_be_read(tmp_path):
    write_folder(tmp_path, {name: {"1.png": b"", "2.png": b"x"} for name in ("cat", "dog")})
    found = inspect_images(tmp_path)
    assert (found.n_images, found.sizes, len(found.unreadable)) == (0, None, 4)
    assert inspection_text(found).splitlines()[0].endswith("0 images of 2 classes, 0 each.")


def test_a_table_with_labels_of_all_kinds(tmp_path):
    for seed in range(6):
        (tmp_path / f"{seed}.png").write_bytes(encode(scene(seed)))
    lines = ["0.png,1", "1.png,1", '2.png,"Boots, ankle"', "3.png,été", "4.png,", "9.png,2"]
    (tmp_path / "t.csv").write_text("\n".join(["path,class", *lines]))
    found = inspect_images(tmp_path / "t.csv")
    assert found.classes == {"1": 2, "Boots, ankle": 1, "été": 1}
    assert found.unusable == (
        ("4.png", "its class is empty"),
        ("9.png", "there is no such file"),
    )
    assert "! 2 rows left out: 4.png (its class is empty), 9.png (there is no such file)" in (
        inspection_text(found)
    )


def test_five_thousand_classes_of_two_images(tmp_path):
    for colour in range(200):
        (tmp_path / f"{colour}.png").write_bytes(png(colour))
    lines = [f"{n % 200}.png,c{n // 2}" for n in range(10_000)]
    (tmp_path / "t.csv").write_text("\n".join(["path,class", *lines]))
    found = inspect_images(tmp_path / "t.csv")
    assert (found.n_images, len(found.classes)) == (10_000, 5_000)
    assert [len(group.images) for group in found.copies] == [50] * 200
    text = inspection_text(found)
    assert "10,000 images of 5,000 classes, 2 each." in text
    assert max(map(len, text.splitlines())) < 250


def test_a_file_that_is_not_there_any_more_is_named(tmp_path):
    write_classes(tmp_path, {"a": [1], "b": [2]})
    (tmp_path / "b" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert inspect_images(tmp_path).unreadable == (
        ("b/gone.png", "it cannot be opened: No such file or directory"),
    )


def test_what_is_read_here_is_what_a_run_reads(odd):
    found, dataset = inspect_images(odd), load_dataset(
        DatasetSpec(str(odd), classes=("cat", "dog", "eel"))
    )  # fmt: skip
    assert found.n_images == len(dataset)
    assert [found.unreadable[1], found.unreadable[2]] == list(dataset.skipped)


def test_what_cannot_be_read_can_be_left_out_of_every_draw(odd):
    spec = DatasetSpec(str(odd), images_per_class=1)
    found = inspect_images(spec)
    usable = found.usable(spec)
    assert usable.classes == ("cat", "dog", "eel")
    for seed in range(20):
        dataset = load_dataset(replace(usable, seed=seed))
        assert (len(dataset), dataset.skipped) == (3, ())
    with pytest.raises(DatasetError, match=r"Class 'gone' of .* has no image left"):
        load_dataset(spec)
    some = found.usable(replace(spec, classes=("dog", "gone", "eel")))
    assert some.classes == ("dog", "eel")


def test_images_without_labels_can_be_left_out_too(tmp_path):
    for name, content in {"a": encode(scene(1)), "b": b"x", "c": encode(scene(2))}.items():
        (tmp_path / f"{name}.png").write_bytes(content)
    spec = DatasetSpec(str(tmp_path))
    usable = inspect_images(spec).usable(spec)
    assert (usable.classes, usable.leave_out) == (None, {"b.png"})
    assert (len(load_dataset(usable)), load_dataset(usable).skipped) == (2, ())
    assert inspect_images("fashion").usable(DatasetSpec("fashion")) == DatasetSpec("fashion")


def test_a_disk_that_cannot_be_written(tmp_path):
    with mounted(tmp_path / "disk", "size=1m") as disk:
        write_classes(disk, {"cat": [1, 2], "dog": [3, 4]})
        make_read_only(disk)
        before = sorted(os.walk(disk))
        assert inspect_images(disk).n_images == 4
        assert len(load_dataset(DatasetSpec(str(disk)))) == 4
        assert sorted(os.walk(disk)) == before


def test_nothing_there():
    with pytest.raises(DatasetError, match="There is no dataset 'nowhere'"):
        inspect_images("nowhere")


def test_it_comes_without_torch():
    program = "import sys, zoo_eval.ranking.inspection; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
