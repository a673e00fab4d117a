"""What is asked of the leaderboard, as the query of an address: a link reproduces the view."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from zoo_eval.report.selection import Condition

MODEL = "model"
MOST_ROWS = 500


@dataclass(frozen=True)
class Range:
    """Models whose value in a column lies between two numbers, both included."""

    column: str
    low: float = -math.inf
    high: float = math.inf

    @property
    def low_text(self) -> str:
        """The lower end as a reader would write it; empty if there is none."""
        return _text(self.low)

    @property
    def high_text(self) -> str:
        """The upper end likewise."""
        return _text(self.high)


@dataclass(frozen=True)
class LeaderboardQuery:
    """Which models and columns to show, and in which order.

    Attributes:
        text: Part of the model's or family's name, in any case.
        family: Exact name of a family; empty means all.
        columns: Columns to show; empty means those that the page chooses.
        sort: Column to sort by; empty means the accuracy that scores are judged by.
        descending: Largest first.
        ranges: Numbers that the models must keep to, at most one range per column.
        page: Which page, from 1.
        rows: Rows on a page.
    """

    text: str = ""
    family: str = ""
    columns: tuple[str, ...] = ()
    sort: str = ""
    descending: bool = True
    ranges: tuple[Range, ...] = ()
    page: int = 1
    rows: int = 50

    @property
    def conditions(self) -> list[Condition]:
        """What the models must be, their names aside."""
        kept = [Condition("family", "=", self.family)] if self.family else []
        for limits in self.ranges:
            ends = ((">=", limits.low), ("<=", limits.high))
            kept += [Condition(limits.column, sign, end) for sign, end in ends]
        return kept

    def to_string(self) -> str:
        """The query as it stands behind the `?`; only what differs from the defaults."""
        pairs: list[tuple[str, str]] = []
        if self.text:
            pairs.append(("q", self.text))
        if self.family:
            pairs.append(("family", self.family))
        pairs += [("column", name) for name in self.columns]
        if self.sort:
            pairs.append(("sort", self.sort))
        if not self.descending:
            pairs.append(("order", "ascending"))
        for limits in self.ranges:
            pairs += [(f"min:{limits.column}", limits.low_text)] if limits.low_text else []
            pairs += [(f"max:{limits.column}", limits.high_text)] if limits.high_text else []
        pairs += [(n, str(v)) for n, v, usual in self._counts() if v != usual]
        return urlencode(pairs)

    def _counts(self) -> tuple[tuple[str, int, int], ...]:
        return ("page", self.page, 1), ("rows", self.rows, 50)


@dataclass(frozen=True)
class Asked:
    """A query, and what was wrong with the text that it was read from, sentence by sentence."""

    query: LeaderboardQuery
    problems: tuple[str, ...] = ()


def parse_query(
    pairs: Iterable[tuple[str, str]], numeric: Collection[str], texts: Collection[str]
) -> Asked:
    """Read a query; what cannot be read is left out and named.

    Args:
        pairs: Names and values behind the `?`, decoded. Empty values count as not given.
        numeric: Columns of numbers.
        texts: Columns of text.
    """
    known = {MODEL, *numeric, *texts}
    one: dict[str, str] = {}
    columns: dict[str, None] = {}
    limits: dict[str, dict[str, float]] = {}
    problems: list[str] = []
    for name, value in pairs:
        end, _, column = name.partition(":")
        if not value.strip():
            continue
        if name == "column":
            if value in known:
                columns[value] = None
            else:
                problems.append(f"There is no column {value!r}.")
        elif column and end in ("min", "max"):
            number = _number(value)
            if column not in numeric:
                problems.append(f"There is no column of numbers {column!r} to limit.")
            elif number is None:
                problems.append(f"{end} of {column} must be a number, but is {value!r}.")
            else:
                limits.setdefault(column, {})[end] = number
        elif name in ("q", "family", "sort", "order", "page", "rows"):
            one[name] = value
        else:
            problems.append(f"{name!r} is nothing that the leaderboard can be asked for.")
    ranges: list[Range] = []
    for column, ends in limits.items():
        low, high = ends.get("min", -math.inf), ends.get("max", math.inf)
        if low > high:
            problems.append(f"{column} cannot be at least {low:g} and at most {high:g}.")
        else:
            ranges.append(Range(column, low, high))
    sort = one.get("sort", "")
    if sort and sort not in known:
        problems.append(f"There is no column {sort!r} to sort by.")
        sort = ""
    order = one.get("order", "descending")
    if order not in ("ascending", "descending"):
        problems.append(f"The order must be ascending or descending, but is {order!r}.")
    query = LeaderboardQuery(
        text=one.get("q", "").strip(),
        family=one.get("family", ""),
        columns=tuple(columns),
        sort=sort,
        descending=order != "ascending",
        ranges=tuple(ranges),
        page=_count(one, "page", 1, 1_000_000, problems),
        rows=_count(one, "rows", 50, MOST_ROWS, problems),
    )
    return Asked(query, tuple(problems))


def _text(end: float) -> str:
    if math.isinf(end):
        return ""
    return str(int(end)) if end.is_integer() and abs(end) < 1e15 else repr(end)


def _number(text: str) -> float | None:
    try:
        number = float(text.strip().replace("−", "-"))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _count(given: dict[str, str], name: str, usual: int, most: int, problems: list[str]) -> int:
    text = given.get(name, str(usual)).strip()
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most:
        return int(text[:9])
    problems.append(f"{name} must be a whole number from 1 to {most:,}, but is {text!r}.")
    return usual
