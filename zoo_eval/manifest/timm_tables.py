"""Reads the result tables that timm publishes, and says exactly what is wrong with one."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from zoo_eval.errors import ManifestError

COMMIT = "aa4b5850c1543fa488abf260f18390eda46cf85d"


@dataclass(frozen=True)
class TableRow:
    """A line of a result file, which names itself when a cell is malformed."""

    where: str
    cells: Mapping[str, str]

    def number(
        self,
        column: str,
        needed: str = "a number of at least 0",
        most: Decimal = Decimal("Infinity"),
    ) -> Decimal:
        """The cell as a decimal, so that no binary float touches a published figure."""
        text = self.cells[column]
        try:
            value = Decimal(text.replace(",", ""))  # parameter counts have thousands commas
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or not 0 <= value <= most:
            raise ManifestError(
                f"{self.where}: {column} must be {needed}, not {text!r}; "
                f"copy the file again from timm's results folder at commit {COMMIT[:8]}."
            )
        return value

    def count(self, column: str, unit: int) -> str:
        """A whole number of things, where the table counts them in units of `unit`."""
        return f"{self.number(column) * unit:.0f}"

    def fraction(self, column: str) -> str:
        """A percentage as a fraction with five decimals; the tables have three per cent."""
        return f"{self.number(column, 'a percentage from 0 to 100', Decimal(100)) / 100:.5f}"


def read_table(
    folder: Path, name: str, size_column: str, columns: tuple[str, ...]
) -> dict[tuple[str, str], TableRow]:
    """(model, image size) → line of a result file.

    Args:
        folder: Where timm's result files lie.
        name: Name of the file.
        size_column: Column of the image size.
        columns: Columns that are needed beside `model` and the image size.

    Raises:
        ManifestError: the file cannot be read, lacks a column, has no line or the same line
            twice, or a line has too few or too many cells.
    """
    try:
        text = (folder / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(
            f"{folder} must contain timm's {name}, but it cannot be read ({error}); copy the "
            f"folder results/ of huggingface/pytorch-image-models at commit {COMMIT[:8]}."
        ) from error
    reader = csv.DictReader(io.StringIO(text))
    header = reader.fieldnames or ()
    needed = ("model", size_column, *columns)
    for column in needed:
        if column not in header:
            raise ManifestError(
                f"{name} must have the columns {', '.join(needed)}, but {column!r} is not among "
                f"{', '.join(header) or 'none'}; use timm's results at commit {COMMIT[:8]}."
            )
    table: dict[tuple[str, str], TableRow] = {}
    for cells in reader:
        where = f"{name}, line {reader.line_num}"
        if None in cells or None in cells.values():
            raise ManifestError(
                f"{where}: needs {len(header)} cells, as the header has; copy the file again."
            )
        model, image_size = cells["model"], cells[size_column]
        if not image_size.isdecimal():
            raise ManifestError(
                f"{where}: {size_column} of {model} must be a whole number of pixels, "
                f"not {image_size!r}; copy the file again."
            )
        if (model, image_size) in table:
            raise ManifestError(
                f"{where}: {model} at image size {image_size} must stand there once, but is "
                f"also in {table[model, image_size].where}; remove one of the two."
            )
        table[model, image_size] = TableRow(where, cells)
    if not table:
        raise ManifestError(f"{name} has a header but no line; copy the file again.")
    return table
