import os
import sys
from importlib.resources import files

import numpy as np
import pyarrow.parquet
import pytest

from tests.datasets.images import (
    colours,
    encode,
    noise,
    png,
    write_classes,
    write_folder,
    write_parquet,
    write_shard,
)
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets.sources import list_source
from zoo_eval.errors import DatasetError

# https://github.com/zalandoresearch/fashion-mnist#labels
FASHION = [
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
]


def load(source, **choice):
    return load_dataset(DatasetSpec(str(source), **choice))


def test_a_folder_with_one_folder_per_class(tmp_path):
    dataset = load(write_classes(tmp_path, {"dog": [1, 2], "cat": [3], "eel": [4]}))
    assert dataset.classes == ("cat", "dog", "eel")
    assert dataset.labels == (0, 1, 1, 2)
    assert colours(dataset) == [3, 1, 2, 4]
    assert [dataset[place].size for place in range(4)] == [(8, 6)] * 4
    assert len(dataset) == 4
    assert not dataset.cropped


def test_jpeg_files_and_numbers_in_names_are_taken_in_natural_order(tmp_path):
    grey = [encode(noise(c, 4, 4).point(lambda _, c=c: c), "JPEG") for c in (10, 20, 30)]
    write_folder(tmp_path, {"a": {"10.JPG": grey[0], "9.jpeg": grey[1]}, "b": {"1.jpg": grey[2]}})
    assert colours(load(tmp_path)) == [20, 10, 30]


def test_the_order_of_files_does_not_depend_on_the_file_system(tmp_path, monkeypatch):
    # timm's order has ties between these.
    for name in ("1.png", "01.png", "001.png", "a.png", "A.png"):
        write_folder(
            tmp_path, {"cat": {name: png(1)}, "Cat": {name: png(2)}, "c01": {name: png(3)}}
        )
    write_folder(tmp_path, {"c1": {"x.png": png(4)}})
    there = list_source(DatasetSpec(str(tmp_path)))
    walk = os.walk

    def backwards(*args, **options):
        return [(root, dirs, found[::-1]) for root, dirs, found in walk(*args, **options)][::-1]

    monkeypatch.setattr(os, "walk", backwards)
    here = list_source(DatasetSpec(str(tmp_path)))
    assert [r.name for r in here.records] == [r.name for r in there.records]
    assert here.classes == there.classes == ("c01", "c1", "Cat", "cat")


def test_an_image_beside_the_folders_belongs_to_no_class(tmp_path):
    write_classes(tmp_path, {"dog": [1], "cat": [2]})
    (tmp_path / "thumbnail.png").write_bytes(png(9))
    dataset = load(tmp_path)
    assert (dataset.classes, colours(dataset)) == (("cat", "dog"), [2, 1])


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"bytes": x, "path": None}])
def test_parquet_with_bytes_or_hugging_faces_struct(tmp_path, wrap):
    images = [wrap(png(colour)) for colour in (5, 6, 7, 8)]
    dataset = load(write_parquet(tmp_path / "x.parquet", images, [10, 2, 10, 2]))
    assert dataset.classes == ("2", "10")  # as numbers, not as text
    assert dataset.labels == (0, 0, 1, 1)
    assert colours(dataset) == [6, 8, 5, 7]
    assert dataset.name == "x"


def test_parquet_with_names_for_labels_and_other_columns(tmp_path):
    path = tmp_path / "x.parquet"
    write_parquet(path, [png(1), png(2), png(3)], ["b", "ccc", "aa"], image="img", label="fine")
    dataset = load(path, image_column="img", label_column="fine")
    assert dataset.classes == ("aa", "b", "ccc")  # as words are sorted, not by length
    assert colours(dataset) == [3, 1, 2]


def test_webdataset_shards(tmp_path):
    write_shard(
        tmp_path / "b.tar",
        {"k1.jpg": encode(noise(0, 4, 4), "JPEG"), "k1.txt": b"7", "k2.png": png(2)},
    )
    files = {"x/0.PNG": png(3), "x/0.cls": b"12\n", "x/1.png": png(4), "x/1.json": b"{}"}
    write_shard(tmp_path / "a.tar", {**files, "x/1.cls": b"7"})
    records = list_source(DatasetSpec(str(tmp_path))).records
    # k2 has no label and is no sample; shards come in the order of their names.
    assert [(r.name, r.label) for r in records] == [
        ("a.tar:x/0", "12"),
        ("a.tar:x/1", "7"),
        ("b.tar:k1", "7"),
    ]
    dataset = load(tmp_path)
    assert (dataset.classes, dataset.labels) == (("7", "12"), (0, 0, 1))
    assert colours(dataset)[0] == 4
    assert colours(dataset)[2] == 3


def test_the_name_of_a_shard_is_never_run_as_a_command(tmp_path, monkeypatch):
    # webdataset's own opener does so: https://github.com/webdataset/webdataset#pipes
    samples = {"0.png": png(1), "0.cls": b"0", "1.png": png(2), "1.cls": b"1"}
    write_shard(tmp_path / "pipe:touch run; cat a.tar", samples)
    monkeypatch.chdir(tmp_path)
    assert colours(load(".")) == [1, 2]
    assert not (tmp_path / "run").exists()


def test_builtin_fashion():
    dataset = load("fashion")
    assert list(dataset.classes) == FASHION
    assert np.bincount(dataset.labels).tolist() == [200] * 10
    assert {dataset[place].size for place in range(0, 2000, 50)} == {(28, 28)}
    assert dataset.skipped == ()
    grey = dataset.pixels(28).reshape(10, 200, 28, 28, 3)
    assert (grey[..., 0] == grey[..., 2]).all()
    mean = grey[..., 0].mean(axis=1)

    def order(rows=slice(None), columns=slice(None)):
        ink = mean[:, rows, columns].mean(axis=(1, 2))
        return [FASHION[place] for place in ink.argsort()]

    # Only numbers in Fashion-MNIST's order fit the names: what the average image looks like.
    assert set(order(columns=slice(7))[:2]) == {"Trouser", "Dress"}  # narrow
    assert order(rows=slice(20, 28), columns=slice(13, 15))[2] == "Trouser"  # between the legs
    assert set(order(rows=slice(7))[:2]) == {"Sandal", "Sneaker"}  # flat
    assert order()[0] == "Sandal"  # little leather
    assert order(columns=slice(21, 28))[-1] == "Ankle boot"  # the heel
    assert order(columns=slice(7))[-1] == "Bag"  # wide
    no_sleeves = order(rows=slice(14, 26), columns=slice(5))[:3]
    assert set(no_sleeves) == {"Trouser", "Dress", "T-shirt/top"}


def test_builtin_fashion_is_small_and_states_its_licence():
    path = files("zoo_eval.datasets") / "fashion.parquet"
    assert len(path.read_bytes()) <= 2 * 2**20
    with path.open("rb") as file:
        metadata = pyarrow.parquet.read_schema(file).metadata
    assert metadata[b"licence"] == b"MIT, (c) 2017 Zalando SE"
    assert metadata[b"source"] == b"Fashion-MNIST, test images"


def refusal(source, **choice) -> str:
    """The one line that refuses a dataset."""
    with pytest.raises(DatasetError) as caught:
        load(source, **choice)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_path_that_does_not_exist():
    assert refusal("nowhere/at/all") == (
        "There is no dataset 'nowhere/at/all': it is neither builtin (fashion), nor a folder with "
        "one folder per class, nor a .csv or .parquet file, nor a folder of .tar shards."
    )


def test_an_empty_folder(tmp_path):
    assert refusal(tmp_path) == (
        f"{tmp_path} and the folders in it hold no image. One folder per class is needed, "
        f"{tmp_path}/CLASS/IMAGE.jpg, or images without labels beside one another."
    )


def test_class_folders_without_images(tmp_path):
    write_folder(tmp_path, {"a": {"notes.txt": b"x"}, "b": {}})
    (tmp_path / "stray.png").write_bytes(png(1))
    assert refusal(tmp_path) == (
        f"{tmp_path} has 2 folders, but no image in them. The 1 beside them have no label; "
        "class_folder = 'none' takes them so."
    )
    assert colours(load(tmp_path, class_folder="none")) == [1]
    (tmp_path / "stray.png").unlink()
    assert refusal(tmp_path) == f"{tmp_path} has 2 folders, but no image in them."


def test_one_class(tmp_path):
    write_classes(tmp_path, {"only": [1, 2]})
    assert refusal(tmp_path) == (f"At least two classes are needed, but {tmp_path} gives 1 (only).")
    assert "gives 1 (Bag)" in refusal("fashion", classes=("Bag",))


def test_a_class_that_does_not_exist():
    message = refusal("fashion", classes=("Bag", "Hat"))
    assert message == f"fashion has no class 'Hat'; its 10 classes are {', '.join(FASHION)}."


def test_too_few_images_in_a_class(tmp_path):
    write_classes(tmp_path, {"a": [1, 2, 3], "b": [4, 5]})
    assert refusal(tmp_path, images_per_class=3) == (
        f"images_per_class = 3, but class 'b' of {tmp_path} has only 2 images."
    )
    assert (
        refusal(tmp_path, images_per_class=0) == "images_per_class = 0, but at least 1 is needed."
    )


@pytest.mark.parametrize(("column", "missing"), [("label", "image"), ("image", "label")])
def test_a_missing_parquet_column(tmp_path, column, missing):
    path = tmp_path / "x.parquet"
    pyarrow.parquet.write_table(pyarrow.table({column: [1], "other": [2]}), path)
    assert f"{path} has no column {missing!r}, only {column}, other." in refusal(path)


def test_parquet_cells_that_are_no_images_or_labels(tmp_path):
    path = tmp_path / "x.parquet"
    write_parquet(path, [png(1), None], [0, 1])
    assert "Row 1 of column 'image' holds nothing" in refusal(path)
    write_parquet(path, [7], [0])
    assert refusal(path) == (
        "Row 0 of column 'image' holds int; encoded images (bytes) or paths are needed."
    )
    write_parquet(path, [{"bytes": None, "path": None}], [0])
    assert "Row 0 of column 'image' holds nothing" in refusal(path)
    write_parquet(path, [png(1)], [[0, 1]])
    assert refusal(path) == (
        "Row 0 of column 'label' holds a list; one label for each image is needed."
    )


def test_a_file_that_is_not_parquet(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_text("image,label")
    assert f"{path} is not a readable Parquet file" in refusal(path)


@pytest.mark.parametrize("n_bytes", [0, 700])
def test_a_truncated_shard(tmp_path, n_bytes):
    path = write_shard(tmp_path / "a.tar", {"0.png": png(1), "0.cls": b"0"})
    path.write_bytes(path.read_bytes()[:n_bytes])
    reason = {0: "empty file", 700: "unexpected end of data"}[n_bytes]
    assert refusal(tmp_path) == f"{path} is not a readable WebDataset shard: {reason}"


def test_shards_without_samples_or_with_unreadable_labels(tmp_path):
    path = write_shard(tmp_path / "a.tar", {"0.png": png(1)})
    assert refusal(tmp_path) == f"{tmp_path}: its 1 shards hold no pair of image and .cls file."
    write_shard(path, {"0.png": png(1), "0.cls": b"\xff\xfe"})
    assert f"{path} is not a readable WebDataset shard" in refusal(tmp_path)


def test_shards_without_webdataset(tmp_path, monkeypatch):
    write_shard(tmp_path / "a.tar", {"0.png": png(1), "0.cls": b"0"})
    monkeypatch.setitem(sys.modules, "webdataset.tariterators", None)
    assert refusal(tmp_path) == (
        f"{tmp_path} holds .tar shards; `pip install zoo-eval[webdataset]` reads them."
    )


def test_an_image_that_cannot_be_opened(tmp_path):
    write_classes(tmp_path, {"a": [1], "b": [2]})
    (tmp_path / "b" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert "Image b/gone.png cannot be opened: " in refusal(tmp_path)
