"""Reads conditions and orders from the parameters of an address."""

import difflib
import re
from collections.abc import Sequence

import numpy as np

from zoo_eval.report.frames import Frame
from zoo_eval.report.selection import SIGNS, Condition, fulfilling, order_of
from zoo_eval.service.api.answers import invalid

_SIGN = re.compile(rf"\s*({'|'.join(sorted(SIGNS, key=len, reverse=True))})\s*")


def matching(frame: Frame, conditions: Sequence[str]) -> Frame:
    """The rows that fulfil all of some conditions such as `params<=5000000` or `family=resnet`.

    Raises:
        HTTPException: 422, a condition cannot be understood.
    """
    return fulfilling(frame, [_condition(frame, text) for text in conditions])


def _condition(frame: Frame, text: str) -> Condition:
    column, sign, value = _parts(frame, text)
    if frame[column].dtype.kind in "iuf":
        try:
            return Condition(column, sign, float(value))
        except ValueError:
            said = f"where = {text!r}: {column} is a number, {value!r} is not."
            raise invalid(said) from None
    if sign not in ("=", "!="):
        raise invalid(f"where = {text!r}: {column} is text, which takes only = and !=.")
    return Condition(column, sign, value)


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
    keys: list[tuple[str, bool]] = []
    for name in filter(None, sort.split(",")):
        falling = name.startswith("-") and name not in frame.columns
        keys.append((known(frame, name[1:] if falling else name), falling))
    order = order_of(frame, [(frame[column], falling) for column, falling in keys])
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
