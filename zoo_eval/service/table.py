"""A table whose cells can be written as JSON a row at a time, without asking pandas for each.

Text, and whatever else has few values, is encoded once and looked up; numbers and times stay as
they are, and are written when they are asked for.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from zoo_eval.report.frames import Frame, Series


@dataclass(frozen=True)
class _Words:
    """A column of few values: each row's place in the list of their texts, the last is null."""

    places: np.ndarray
    texts: np.ndarray

    def cells(self, rows: np.ndarray) -> list[str]:
        return self.texts[self.places[rows]].tolist()


@dataclass(frozen=True)
class _Numbers:
    values: np.ndarray

    def cells(self, rows: np.ndarray) -> list[str]:
        return [
            repr(value) if math.isfinite(value) else "null" for value in self.values[rows].tolist()
        ]


@dataclass(frozen=True)
class _Times:
    values: np.ndarray

    def cells(self, rows: np.ndarray) -> list[str]:
        times = self.values[rows].astype("datetime64[us]").tolist()
        return ["null" if time is None else f'"{time.isoformat()}"' for time in times]


@dataclass(frozen=True)
class Table:
    """The columns of a frame, in order.

    Attributes:
        length: Rows.
    """

    length: int
    _columns: dict[str, _Words | _Numbers | _Times]

    @classmethod
    def of(cls, frame: Frame) -> "Table":
        """A frame's cells; what is missing or infinite becomes null."""
        return cls(len(frame), {str(name): _encoded(column) for name, column in frame.items()})

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._columns)

    def among(self, column: str, wanted: Sequence[str]) -> np.ndarray:
        """Which rows have one of some texts in a column of texts; booleans (n,)."""
        words = self._columns[column]
        assert isinstance(words, _Words), f"{column} is no text"
        texts = [json.dumps(text) for text in wanted]
        return np.isin(words.places, np.flatnonzero(np.isin(words.texts[:-1], texts)))

    @cached_property
    def whole_rows(self) -> np.ndarray:
        """Every row with all columns, written: worth its memory where they are often asked for."""
        return np.array(self._written(np.arange(self.length), self.columns), dtype=object)

    def json(self, rows: np.ndarray, columns: Sequence[str] | None = None) -> str:
        """Rows as a JSON array of objects.

        Args:
            rows: Their numbers, in the order wanted.
            columns: Names; None takes all.
        """
        if columns is None and "whole_rows" in self.__dict__:
            return f"[{', '.join(self.whole_rows[rows])}]"
        return f"[{', '.join(self._written(rows, columns or self.columns))}]"

    def _written(self, rows: np.ndarray, columns: Sequence[str]) -> list[str]:
        keys = (json.dumps(name).replace("%", "%%") for name in columns)
        row = "{" + ", ".join(f"{key}: %s" for key in keys) + "}"
        cells = (self._columns[name].cells(rows) for name in columns)
        return [row % each for each in zip(*cells, strict=True)]


@dataclass(frozen=True)
class RowsByModel:
    """A table of which one model's rows are asked for."""

    _table: Table
    _rows: dict[str, np.ndarray]

    @classmethod
    def of(cls, frame: Frame) -> "RowsByModel":
        """A frame with a column `model`."""
        rows = {} if frame.empty else frame.groupby("model", observed=True).indices
        return cls(Table.of(frame), rows)

    def json(self, model: str) -> str:
        """A model's rows as a JSON array, in the frame's order."""
        rows = self._rows.get(model)
        return "[]" if rows is None else self._table.json(rows)


def _encoded(column: Series) -> _Words | _Numbers | _Times:
    if column.dtype.kind == "f" and isinstance(column.dtype, np.dtype):
        return _Numbers(column.to_numpy(np.float64))
    if column.dtype.kind == "M":
        return _Times(column.to_numpy())
    if isinstance(column.dtype, pd.CategoricalDtype):
        places, values = np.asarray(column.cat.codes), column.cat.categories
    else:
        places, values = pd.factorize(column)
    texts = [json.dumps(_plain(value)) for value in values] + ["null"]  # which -1 leads to
    return _Words(places, np.array(texts, dtype=object))


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
