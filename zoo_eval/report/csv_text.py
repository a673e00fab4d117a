"""Tables as CSV: numbers unrounded, and no cell that a spreadsheet takes for a formula."""

import csv
from io import StringIO
from typing import Any

from zoo_eval.report.frames import Frame

# With these a spreadsheet takes a cell for a formula, which may send data elsewhere.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(table: Frame) -> str:
    """What `to_csv` writes, to the byte, but numbers a column at a time: a quarter of the time.

    Text that a spreadsheet would take for a formula is different: it gets an apostrophe before
    it. No name of a real model begins so; Parquet and the store have all names unchanged.
    """
    columns: list[list[Any]] = [[_inert(name) for name in table.index.tolist()]]
    for name in table.columns:
        missing = table[name].isna().tolist()
        values = zip(table[name].tolist(), missing, strict=True)
        columns.append(["" if no else _inert(value) for value, no in values])
    text = StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([_inert(name) for name in (table.index.name, *table.columns)])
    lines.writerows(zip(*columns, strict=True))
    return text.getvalue()


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
