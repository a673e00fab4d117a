"""From the rows of a table to a listing: what is an image, what is a label, what is neither."""

import unicodedata
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from zoo_eval.datasets.listing import Listing, Record, constant, content_of, sorted_classes
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.errors import DatasetError

Cell = Any  # what a file holds: bytes, text, a number, nothing, or Hugging Face's struct


def listing_of(
    rows: Iterable[tuple[int, Cell, Cell]],
    path: Path,
    spec: DatasetSpec,
    image: str,
    label: str | None,
) -> Listing:
    """Images and labels of a table.

    Rows without a label and rows whose file is not there are set aside: tables are often longer
    than what was labelled or copied.

    Args:
        rows: Number of the row, or line, its image or path, and its label.
        path: The table; paths in it are relative to its folder.
        spec: Whether they may lead out of that folder.
        image: Name of the column of images, for messages.
        label: Name of the column of labels; None if there is none.

    Raises:
        DatasetError: an image is neither bytes nor a path, or a path leads out of the folder, or
            no row is left.
    """
    records: list[Record] = []
    unusable: list[tuple[str, str]] = []
    folder = path.parent.resolve()
    for row, cell, target in rows:
        # Hugging Face writes images as {"bytes": …, "path": …}.
        struct: dict[str, Any] | None = cell if isinstance(cell, dict) else None
        content = struct and (struct.get("bytes") or struct.get("path"))
        content = cell if struct is None else content
        if isinstance(content, bytes):
            name, read, problem = f"row {row}", constant(content), None
        elif isinstance(content, str) and content.strip():
            file = _inside(folder, content.strip(), path, row, spec.allow_outside)
            name, read = content.strip(), partial(content_of, str(file))
            problem = None if file.is_file() else _why_no_file(file)
        else:
            raise DatasetError(
                f"Row {row} of column {image!r} holds {_seen(content)}; encoded images (bytes) or "
                "paths are needed."
            )
        if isinstance(target, list | dict):
            raise DatasetError(
                f"Row {row} of column {label!r} holds a {type(target).__name__}; one label for "
                "each image is needed."
            )
        text = "" if label is None else _text(target)
        if label is not None and not text:
            problem = f"its {label} is empty"
        if problem:
            unusable.append((name, problem))
        else:
            records.append(Record(name, text, read))
    if not records:
        first = f"{unusable[0][0]}: {unusable[0][1]}" if unusable else "there is no row"
        raise DatasetError(
            f"{path}: none of its {len(unusable)} rows can be used ({first}). Paths are taken "
            f"relative to {folder}."
        )
    return Listing(
        tuple(records), () if label is None else sorted_classes(records), tuple(unusable)
    )


def _inside(folder: Path, given: str, path: Path, row: int, allow_outside: bool) -> Path:
    """Where a path leads, links followed."""
    try:
        file = (folder / given).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL
        raise DatasetError(f"{path}, row {row}: {given!r} is no path: {error}.") from error
    if not allow_outside and not file.is_relative_to(folder):
        raise DatasetError(
            f"{path}, row {row}: {given} leads out of the table's folder, {folder}. Put the images "
            "there, or allow paths to lead out of it (allow_outside)."
        )
    return file


def _why_no_file(file: Path) -> str:
    return "it is no regular file" if file.exists() else "there is no such file"


def _text(label: Cell) -> str:
    """A label as the name of a class; nothing if the cell is empty."""
    if label is None or label != label:  # NaN, which pandas writes for a missing label
        return ""
    # An integer column with gaps comes as floats out of pandas.
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    # The same letter has several spellings: file systems and spreadsheets choose differently.
    return unicodedata.normalize("NFC", str(label)).strip()


def _seen(content: object) -> str:
    return "nothing" if content is None or content == "" else type(content).__name__
