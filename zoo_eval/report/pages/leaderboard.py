"""The leaderboard: models against chosen accuracies, facts and scores."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from zoo_eval.report import sentences
from zoo_eval.report.board import SPEED
from zoo_eval.report.collect import BASELINES
from zoo_eval.report.frames import Frame
from zoo_eval.report.pages.cells import meaning, text, title, value_of
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.pareto import fronts
from zoo_eval.report.pages.query import (
    MODEL,
    MOST_ROWS,
    Asked,
    LeaderboardQuery,
    Range,
    parse_query,
)
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.selection import containing, fulfilling, ordered
from zoo_eval.report.tables import LEADERBOARD_SCORES, Cell, Column, Row, Table

_OUTSIDE = "outside"
_ROWS = (25, 50, 100, 200, MOST_ROWS)


@dataclass(frozen=True)
class View:
    """The rows and columns that a query chooses.

    Attributes:
        rows: All matching models in their order, chosen columns only.
        columns: Those columns.
        sort: The column that they are sorted by.
        first: Place of the first row on the page.
        shown: Models on the page.
        page: Which page; the last one if fewer match than were expected.
        pages: How many there are.
    """

    rows: Frame
    columns: tuple[str, ...]
    sort: str
    first: int
    shown: Frame
    page: int
    pages: int


def ask(zoo: Zoo, pairs: Iterable[tuple[str, str]]) -> Asked:
    """Read a query against the columns that there are.

    A form sends all columns that it shows. Where they are the usual ones, nothing was chosen: with
    another accuracy others are the usual ones.
    """
    asked = parse_query(pairs, zoo.numbers, zoo.texts)
    if set(asked.query.columns) == set(default_columns(zoo)):
        asked = replace(asked, query=replace(asked.query, columns=()))
    return asked


def default_columns(zoo: Zoo) -> tuple[str, ...]:
    """What is shown unless columns are chosen: the accuracy, the costs, the strongest scores."""
    costs = [name for name in (*BASELINES, SPEED) if name in zoo.board]
    known = [name for name in costs if zoo.board[name].notna().any()]
    strongest = [label for label in zoo.scores if label not in BASELINES][:LEADERBOARD_SCORES]
    gate = ["trusted"] if zoo.board["trusted"].ne("").any() else []
    truth = [zoo.truth] if zoo.truth else []
    return (*truth, "family", *gate, *known, *strongest)


def select(zoo: Zoo, query: LeaderboardQuery) -> View:
    """The models that match, sorted; models without the value last."""
    board = containing(zoo.board, zoo.board.index.to_series(), query.text)
    board = fulfilling(board, query.conditions)
    sort = query.sort or zoo.truth or MODEL
    values = board.index.to_series() if sort == MODEL else board[sort]
    board = ordered(board, [(values, query.descending)])
    columns = tuple(name for name in query.columns if name != MODEL) or default_columns(zoo)
    pages = max(math.ceil(len(board) / query.rows), 1)
    place = min(query.page, pages)
    first = (place - 1) * query.rows
    rows = board[list(columns)]
    return View(rows, columns, sort, first, board.iloc[first : first + query.rows], place, pages)


def leaderboard_page(zoo: Zoo, asked: Asked, links: Links) -> str:
    """The page for a query."""
    query = asked.query
    view = select(zoo, query)
    matching = zoo.board.loc[view.rows.index]
    return page(
        "leaderboard.html.jinja",
        zoo,
        links,
        here="leaderboard",
        title="Leaderboard",
        question=sentences.question(zoo.found) if zoo.found else "",
        scope=sentences.scope(zoo.found) if zoo.found else _without_accuracy(zoo),
        asked=asked,
        query=query,
        view=view,
        table=_table(zoo, view, query, links),
        fronts=fronts(zoo, matching, links),
        families=sorted(set(zoo.board["family"]) - {""}),
        choices=[(name, title(name), name in view.columns) for name in [*zoo.texts, *zoo.numbers]],
        limits=[(name, title(name), *_limits(query, name)) for name in _limited(zoo, view, query)],
        sorts=[(name, title(name)) for name in dict.fromkeys([MODEL, *view.columns, view.sort])],
        steps=_steps(view, query, links),
        action=links.leaderboard(LeaderboardQuery()),
        row_choices=sorted({*_ROWS, query.rows}),
    )


def _table(zoo: Zoo, view: View, query: LeaderboardQuery, links: Links) -> Table:
    def column(name: str, shown: str, numeric: bool, about: str) -> Column:
        usual = "descending" if numeric else "ascending"
        order = ""
        if name == view.sort:
            order = "descending" if query.descending else "ascending"
        other = {"": usual, "ascending": "descending", "descending": "ascending"}[order]
        again = replace(query, sort=name, descending=other == "descending", page=1)
        href = links.leaderboard(again) if links.live else ""
        return Column(shown, about, numeric=numeric, href=href, order=order)

    columns = [column(MODEL, "Model", numeric=False, about="")]
    columns += [
        column(name, title(name), name not in zoo.texts, meaning(zoo, name))
        for name in view.columns
    ]
    rows: list[Row] = []
    shown = view.shown[list(dict.fromkeys([*view.columns, "trusted"]))]
    for model, values in zip(shown.index, shown.to_dict("records"), strict=True):
        cells = [Cell(str(model), href=links.model(str(model)))]
        for name in view.columns:
            value = values[name]
            is_text = name in zoo.texts
            cells.append(Cell(text(value)) if is_text else value_of(zoo, name, str(model), value))
        outside = values["trusted"] == _OUTSIDE
        rows.append(Row(tuple(cells), "outside the trust gate" if outside else ""))
    left = len(view.rows) - len(rows)
    return Table("leaderboard", _caption(view), tuple(columns), tuple(rows), left, not links.live)


def _caption(view: View) -> str:
    n = len(view.rows)
    if not n:
        return "No model matches"
    models = f"{n:,} model{'' if n == 1 else 's'}"
    if view.pages == 1:
        return f"{models} by {title(view.sort)}"
    last = view.first + len(view.shown)
    return f"{view.first + 1:,} to {last:,} of {models} by {title(view.sort)}"


def _limited(zoo: Zoo, view: View, query: LeaderboardQuery) -> list[str]:
    """Columns that the form offers limits for: those shown and those limited."""
    shown = [name for name in view.columns if name in zoo.numbers]
    return list(dict.fromkeys([*shown, *(limits.column for limits in query.ranges)]))


def _limits(query: LeaderboardQuery, column: str) -> tuple[str, str]:
    limits = {each.column: each for each in query.ranges}.get(column, Range(column))
    return limits.low_text, limits.high_text


def _steps(view: View, query: LeaderboardQuery, links: Links) -> list[tuple[str, str]]:
    """Page numbers with their addresses: the ends and what lies around; "" is where we are."""
    near = {1, view.pages, *range(view.page - 2, view.page + 3)}
    numbers = sorted(n for n in near if 1 <= n <= view.pages)
    steps: list[tuple[str, str]] = []
    for before, n in pairwise([0, *numbers]):
        if n > before + 1:
            steps.append(("…", ""))
        steps.append((str(n), "" if n == view.page else links.leaderboard(replace(query, page=n))))
    return steps if view.pages > 1 else []


def _without_accuracy(zoo: Zoo) -> str:
    return zoo.note or (
        f"{len(zoo.board):,} models were tried, but none of them has an accuracy in the store, so "
        "no score can be judged."
    )
