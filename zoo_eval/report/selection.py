"""Which rows of a table match, and in which order: the same on pages and in the API."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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
    order = frame.index
    for cells, falling in reversed(keys):  # stable, so that the first counts most
        known = _comparable(cells.loc[order])
        order = known.sort_values(ascending=not falling, kind="stable").index
    return frame.loc[order]


def _comparable(cells: Series) -> Series:
    if cells.dtype.kind in "iufbM":
        return cells
    return cells.astype(str).where(cells.notna() & cells.ne(""))
