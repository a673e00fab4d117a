"""Lists the rows of a CSV or Parquet file of images, or of paths to them, and their labels."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow
import pyarrow.parquet

from zoo_eval.datasets.listing import Listing, Record, constant
from zoo_eval.datasets.rows import Cell, listing_of
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.errors import DatasetError

# What tables call these columns where the spec names none; Hugging Face writes `file_name`.
_IMAGE_COLUMNS = frozenset(
    ("image", "path", "file", "filename", "file_name", "filepath", "image_path")
)
_LABEL_COLUMNS = frozenset(("label", "class", "category", "target"))


def list_builtin(file: IO[bytes], names: tuple[str, ...]) -> Listing:
    """Our own Parquet file, whose labels are places in `names`."""
    table = pyarrow.parquet.read_table(file)
    images: list[bytes] = table["image"].to_pylist()
    labels: list[int] = table["label"].to_pylist()
    records = (
        Record(f"row {row}", names[label], constant(image))
        for row, (image, label) in enumerate(zip(images, labels, strict=True))
    )
    return Listing(tuple(records), names)


def list_parquet(path: Path, spec: DatasetSpec) -> Listing:
    """A Parquet file of encoded images, or of paths to them; Hugging Face writes both in one.

    Raises:
        DatasetError: it cannot be read, lacks a column, or a row cannot be understood.
    """
    try:
        table: Any = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise DatasetError(f"{path} is not a readable Parquet file: {error}") from error
    image, label = _columns(path, table.column_names, spec)
    labels: Iterable[Cell] = [""] * len(table) if label is None else table[label].to_pylist()
    rows = zip(range(len(table)), table[image].to_pylist(), labels, strict=True)
    return listing_of(rows, path, spec, image, label)


def list_csv(path: Path, spec: DatasetSpec) -> Listing:
    """A table of paths as text, with the names of the columns in its first line.

    Its cells are divided by commas, semicolons or tabs: whichever the first line has most of.

    Raises:
        DatasetError: it cannot be read, lacks a column, or a row cannot be understood.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # Excel puts a mark in front
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as UTF-8 text: {error}") from error
    first = text.partition("\n")[0]
    divider = max(",;\t", key=first.count)
    # Not `splitlines`: a cell in quotes may hold a line break.
    stream = io.StringIO(text, newline="")
    lines = csv.reader(stream, delimiter=divider, skipinitialspace=True, strict=True)
    rows: list[tuple[int, Cell, Cell]] = []
    try:
        names = [name.strip() for name in next(lines, [])]
        image, label = _columns(path, names, spec)
        places = names.index(image), None if label is None else names.index(label)
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(names):
                raise DatasetError(
                    f"{path}, line {lines.line_num}, has {len(cells)} cells, but the first line "
                    f"names {len(names)}. A cell that holds {divider!r} must stand in quotes."
                )
            target = "" if places[1] is None else cells[places[1]]
            rows.append((lines.line_num, cells[places[0]], target))
    except csv.Error as error:
        raise DatasetError(f"{path}, line {lines.line_num}, is not valid CSV: {error}.") from error
    return listing_of(rows, path, spec, image, label)


def _columns(path: Path, names: Sequence[str], spec: DatasetSpec) -> tuple[str, str | None]:
    """Which column has the images and which the labels; none if there is no other."""
    image = _column(path, names, spec.image_column, _IMAGE_COLUMNS)
    if len(names) == 1:
        return image, None
    return image, _column(path, names, spec.label_column, _LABEL_COLUMNS)


def _column(path: Path, names: Sequence[str], wanted: str, usual: frozenset[str]) -> str:
    if wanted in names:
        return wanted
    found = [name for name in names if name.lower() in usual] if wanted in usual else []
    if len(found) != 1:
        raise DatasetError(
            f"{path} has no column {wanted!r}, only {', '.join(names) or 'an empty first line'}. "
            "Name them with image_column and label_column."
        )
    return found[0]
