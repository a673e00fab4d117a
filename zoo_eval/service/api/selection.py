"""Sorts, filters and pages a table as the parameters of an address say."""

import difflib
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from zoo_eval.report.frames import Frame, Series
from zoo_eval.service.api.answers import invalid

_SIGN = re.compile(r"\s*(<=|>=|!=|<|>|=)\s*")


def matching(frame: Frame, conditions: Sequence[str]) -> Frame:
    """The rows that fulfil all of some conditions such as `params<=5000000` or `family=resnet`.

    Raises:
        HTTPException: 422, a condition cannot be understood.
    """
    for condition in conditions:
        column, sign, value = _parts(frame, condition)
        cells = frame[column]
        if cells.dtype.kind in "iuf":
            try:
                wanted: float | str = float(value)
            except ValueError:
                text = f"where = {condition!r}: {column} is a number, {value!r} is not."
                raise invalid(text) from None
        elif sign in ("=", "!="):
            cells, wanted = cells.astype(str), value
        else:
            raise invalid(f"where = {condition!r}: {column} is text, which takes only = and !=.")
        tests = {"<=": cells.le, ">=": cells.ge, "<": cells.lt, ">": cells.gt, "=": cells.eq}
        frame = frame[tests[sign](wanted) if sign != "!=" else cells.ne(wanted) & cells.notna()]
    return frame


def _parts(frame: Frame, condition: str) -> tuple[str, str, str]:
    """Column, sign and value. Names of columns may have signs in them, so the longest name counts.

    Raises:
        HTTPException: 422, there is no such column, or no sign.
    """
    for column in sorted(map(str, frame.columns), key=len, reverse=True):
        if condition.startswith(column) and (sign := _SIGN.match(condition, len(column))):
            return column, sign[1], condition[sign.end() :].strip()
    sign = _SIGN.search(condition)
    if sign is not None:
        known(frame, condition[: sign.start()])
    raise invalid(f"where = {condition!r} must be a column, one of <= >= < > = !=, and a value.")


def ordered(frame: Frame, sort: str) -> np.ndarray:
    """Labels of the rows in the order of some columns, `-` for the largest first.

    Missing values come last.

    Raises:
        HTTPException: 422, there is no such column.
    """
    names = [name for name in sort.split(",") if name]
    order = np.arange(len(frame))
    for name in reversed(names):  # stable, so that the first counts most
        falls = name.startswith("-") and name not in frame.columns
        sizes = _sizes(frame[known(frame, name[1:] if falls else name)])[order]
        order = order[np.argsort(-sizes if falls else sizes, kind="stable")]  # NaN comes last
    return frame.index.to_numpy()[order]


def known(frame: Frame, column: str) -> str:
    """The column, if there is one of this name.

    Raises:
        HTTPException: 422, with the nearest name.
    """
    if column in frame.columns:
        return column
    near = difflib.get_close_matches(column, map(str, frame.columns), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise invalid(f"There is no column {column!r}.{hint}")


def _sizes(cells: Series) -> np.ndarray:
    """Numbers in the order of the cells; NaN where there is none."""
    if cells.dtype.kind in "iufb":
        return cells.to_numpy(np.float64, na_value=np.nan)
    places, _ = pd.factorize(cells.astype(str).where(cells.notna()), sort=True)
    return np.where(places < 0, np.nan, places)
