"""CSV and Parquet files of paths and labels, as spreadsheets, pandas and people write them."""

import math
import os
from pathlib import Path

import pandas as pd
import pytest

from tests.datasets.images import colours, png, write_parquet
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.datasets.sources import list_source
from zoo_eval.errors import DatasetError


def load(source, **choice):
    return load_dataset(DatasetSpec(str(source), **choice))


def refusal(source, **choice) -> str:
    """The one line that refuses a table."""
    with pytest.raises(DatasetError) as caught:
        load(source, **choice)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture
def folder(tmp_path) -> Path:
    """Images 1.png to 6.png; table.csv is to be written beside them."""
    (tmp_path / "images").mkdir()
    for colour in range(1, 7):
        (tmp_path / "images" / f"{colour}.png").write_bytes(png(colour))
    return tmp_path


def table(folder: Path, text: str, name: str = "table.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def test_paths_are_relative_to_the_table(folder, monkeypatch):
    path = table(folder, "image,label\nimages/2.png,dog\nimages/1.png,cat\nimages/3.png,dog\n")
    monkeypatch.chdir("/")
    dataset = load(path)
    assert (dataset.classes, dataset.labels) == (("cat", "dog"), (0, 1, 1))
    assert colours(dataset) == [1, 2, 3]
    assert dataset.name == "table"
    full = table(folder, f"image,label\n{folder}/images/1.png,a\nimages/2.png,b\n", "full.csv")
    assert colours(load(full)) == [1, 2]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("image,label\r\nimages/1.png,a\r\nimages/2.png,b\r\n", "utf-8-sig"),  # Excel's CSV UTF-8
        ("image;label\nimages/1.png;a\nimages/2.png;b\n", "utf-8"),  # Excel where , is decimal
        ("image\tlabel\nimages/1.png\ta\n\nimages/2.png\tb\n", "utf-8"),
        ('"image", "label"\n"images/1.png", "a"\nimages/2.png, b', "utf-8"),
        ("width,Label,filename\n8,a,images/1.png\n8,b,images/2.png\n", "utf-8"),
    ],
)
def test_dialects(folder, text, encoding):
    dataset = load(table(folder, text, encoding=encoding))
    assert (dataset.classes, colours(dataset)) == (("a", "b"), [1, 2])


def test_labels_that_are_numbers_text_or_have_commas(folder):
    rows = ["10", "2", '"Boots, ankle"', "été", '"a\nb"', "-1.5"]
    lines = [f"images/{place}.png,{label}" for place, label in enumerate(rows, 1)]
    dataset = load(table(folder, "\n".join(["image,label", *lines])))
    assert dataset.classes == ("2", "10", "-1.5", "Boots, ankle", "a\nb", "été")
    assert colours(dataset) == [2, 1, 6, 3, 5, 4]


def test_two_spellings_of_a_letter_are_one_class(folder):
    text = "image,label\nimages/1.png,caf\u00e9\nimages/2.png,cafe\u0301\nimages/3.png,tea\n"
    assert load(table(folder, text)).classes == ("caf\u00e9", "tea")


def test_parquet_of_paths(folder):
    path = write_parquet(folder / "x.parquet", ["images/1.png", "images/2.png"], ["b", "a"])
    dataset = load(path)
    assert (dataset.classes, colours(dataset)) == (("a", "b"), [2, 1])
    structs = [{"bytes": None, "path": "images/3.png"}, {"bytes": png(9), "path": "gone.png"}]
    assert colours(load(write_parquet(path, structs, [0, 1]))) == [3, 9]


def test_floats_as_pandas_makes_them_of_integers_with_gaps(folder):
    paths = [f"images/{n}.png" for n in range(1, 5)]
    frame = pd.DataFrame({"path": paths, "target": [10, 2, None, 2]})
    frame.to_parquet(folder / "x.parquet")
    dataset = load(folder / "x.parquet")
    assert (dataset.classes, colours(dataset)) == (("2", "10"), [2, 4, 1])
    assert dataset.skipped == (("images/3.png", "its target is empty"),)
    real = write_parquet(folder / "y.parquet", paths[:2], [0.5, -1.25])
    assert load(real).classes == ("-1.25", "0.5")
    nan = write_parquet(folder / "z.parquet", paths[:3], [0.5, math.nan, 1.5])
    assert load(nan).skipped == (("images/2.png", "its label is empty"),)


def test_rows_without_label_or_file_are_set_aside_and_counted(folder):
    (folder / "images" / "pipe.png").mkdir()
    text = "image,label\nimages/1.png,a\nimages/2.png,\nimages/9.png,b\nimages/4.png,b\n"
    path = table(folder, text + "images/pipe.png,b\n")
    dataset = load(path)
    assert colours(dataset) == [1, 4]
    assert dataset.skipped == (
        ("images/2.png", "its label is empty"),
        ("images/9.png", "there is no such file"),
        ("images/pipe.png", "it is no regular file"),
    )
    assert '"skipped": 3' in dataset.recipe
    with pytest.raises(DatasetError, match=r"3 rows of .* images/2\.png: its label is empty"):
        load_dataset(DatasetSpec(str(path)), strict=True)


def test_a_table_of_paths_alone_has_no_labels(folder):
    dataset = load(table(folder, "file\nimages/2.png\nimages/1.png\n"))
    assert (dataset.classes, colours(dataset)) == ((), [2, 1])


def test_five_thousand_classes(tmp_path):
    (tmp_path / "1.png").write_bytes(png(1))
    rows = [f"1.png,c{n // 2}" for n in range(10_000)]
    listing = list_source(DatasetSpec(str(table(tmp_path, "\n".join(["image,label", *rows])))))
    assert (len(listing.records), len(listing.classes)) == (10_000, 5_000)


@pytest.mark.parametrize("given", ["../secret.png", "link.png", "/etc/hostname", "images/../../x"])
def test_no_path_leads_out_of_the_folder(folder, given):
    inside = folder / "data"
    (inside / "images").mkdir(parents=True)
    (folder / "secret.png").write_bytes(png(1))
    (inside / "link.png").symlink_to(folder / "secret.png")
    path = table(inside, f"image,label\n{given},a\n")
    assert refusal(path) == (
        f"{path}, row 2: {given} leads out of the table's folder, {inside}. Put the images "
        "there, or allow paths to lead out of it (allow_outside)."
    )


def test_paths_may_lead_out_where_that_is_allowed(folder):
    (folder / "data").mkdir()
    path = table(folder / "data", "image,label\n../images/1.png,a\n../images/2.png,b\n")
    assert colours(load(path, allow_outside=True)) == [1, 2]


def test_what_is_no_path(folder):
    path = table(folder, "image,label\nimages/\0.png,a\n")
    assert f"{path}, row 2: 'images/\\x00.png' is no path" in refusal(path)
    os.symlink("loop.png", folder / "loop.png")
    path = table(folder, "image,label\nloop.png,a\n")
    assert "loop.png" in refusal(path)


def test_tables_that_cannot_be_used(folder):
    assert "holds ',' must stand in quotes" in refusal(
        table(folder, "image,label\nimages/1.png,Boots, ankle\n")
    )
    assert refusal(table(folder, "a,b\n1,2\n")) == (
        f"{folder}/table.csv has no column 'image', only a, b. "
        "Name them with image_column and label_column."
    )
    assert "has no column 'label', only image, kind" in refusal(table(folder, "image,kind\n1,2\n"))
    assert "has no column 'image', only an empty first line" in refusal(table(folder, ""))
    two = table(folder, "path,file,label\nimages/1.png,images/2.png,a\n")
    assert "has no column 'image', only path, file, label" in refusal(two)
    assert refusal(table(folder, "image,label\n")) == (
        f"{folder}/table.csv: none of its 0 rows can be used (there is no row). Paths are taken "
        f"relative to {folder}."
    )
    assert "none of its 1 rows can be used (x.png: there is no such file)" in refusal(
        table(folder, "image,label\nx.png,a\n")
    )
    assert "line 2, is not valid CSV" in refusal(table(folder, 'image,label\n"images/1.png,a\n'))
    assert "cannot be read as UTF-8 text" in refusal(
        table(folder, "image,label\nimages/1.png,été\n", encoding="cp1252")
    )


def test_columns_named_by_hand(folder):
    path = table(folder, "a,b\nimages/1.png,x\nimages/2.png,y\n")
    assert colours(load(path, image_column="a", label_column="b")) == [1, 2]
