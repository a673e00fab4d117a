"""Which rows of a table match, and in which order: the same on pages and in the API."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from zoo_eval.report.frames import Frame, Series

_TESTS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<=": lambda cells, value: cells.le(value),
    ">=": lambda cells, value: cells.ge(value),
    "<": lambda cells, value: cells.lt(value),
    ">": lambda cells, value: cells.gt(value),
    "=": lambda cells, value: cells.eq(value),
    "!=": lambda cells, value: cells.ne(value) & cells.notna(),
}
SIGNS = tuple(_TESTS)


@dataclass(frozen=True)
class Condition:
    """What a row's cell must be; a missing one fulfils no condition.

    Attributes:
        column: The column.
        sign: One of `SIGNS`; of text only `=` and `!=`.
        value: What it is compared with, text if the column is.
    """

    column: str
    sign: str
    value: float | str


def fulfilling(frame: Frame, conditions: Iterable[Condition]) -> Frame:
    """The rows that fulfil all conditions."""
    for condition in conditions:
        cells = frame[condition.column]
        if isinstance(condition.value, str):
            cells = cells.astype(str).where(cells.notna())
        frame = frame[_TESTS[condition.sign](cells, condition.value)]
    return frame


def containing(frame: Frame, names: Series, text: str) -> Frame:
    """The rows whose name or family contains a text, in any case.

    Args:
        frame: Rows with a column `family`.
        names: Name of each row.
        text: No pattern; nothing contains nothing, and all rows stay.
    """
    if not text:
        return frame
    families = frame["family"].astype(object).where(frame["family"].notna(), "").astype(str)
    places = (names.astype(str) + "\n" + families.set_axis(names.index)).str.casefold()
    return frame[places.str.contains(text.casefold(), regex=False).to_numpy(bool)]


def ordered(frame: Frame, keys: Sequence[tuple[Series, bool]]) -> Frame:
    """The rows by some columns, of which the first counts most; missing values last.

    Args:
        frame: Rows whose index has no value twice.
        keys: Cells by that index, and whether the largest come first.
    """
    return frame.iloc[order_of(frame, keys)]


def order_of(frame: Frame, keys: Sequence[tuple[Series, bool]]) -> np.ndarray:
    """Places of the rows in that order; all columns need not be moved about for it."""
    order = np.arange(len(frame))
    for cells, falling in reversed(keys):  # stable, so that the first counts most
        sizes = _sizes(cells if cells.index is frame.index else cells.loc[frame.index])[order]
        order = order[np.argsort(-sizes if falling else sizes, kind="stable")]  # NaN comes last
    return order


def _sizes(cells: Series) -> np.ndarray:
    """Numbers in the order of the cells; NaN where there is none."""
    if cells.dtype.kind in "iufb":
        return cells.to_numpy(np.float64, na_value=np.nan)
    places, _ = pd.factorize(cells.astype(str).where(cells.notna() & cells.ne("")), sort=True)
    return np.where(places < 0, np.nan, places)
