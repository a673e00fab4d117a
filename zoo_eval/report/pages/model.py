"""One model: its accuracies and scores, its siblings, how it was evaluated, how to load it."""

import math

from zoo_eval.errors import InputError
from zoo_eval.report.board import SPEED
from zoo_eval.report.collect import BASELINES
from zoo_eval.report.frames import Series
from zoo_eval.report.pages.attempts import attempts_of
from zoo_eval.report.pages.cells import number, percentile, rank, text, title, value_of
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.snippet import details_of, loading_snippet
from zoo_eval.report.pages.what_if import what_if
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.tables import Cell, Column, Row, Table

_FACTS = ("family", "params", "macs", "activations", "image_size", SPEED)
_MORE = ("pretraining", "distilled", "label_space", "licence", "trusted")


def model_page(zoo: Zoo, name: str, links: Links) -> str:
    """The page of one model.

    Raises:
        InputError: there is no such model.
    """
    if name not in zoo.board.index:
        raise InputError(f"There is no model {name!r} here; the leaderboard lists all.")
    row = zoo.board.loc[name]
    return page(
        "model.html.jinja",
        zoo,
        links,
        here="leaderboard",
        title=name,
        name=name,
        facts=_facts(zoo, row),
        accuracies=_accuracies(zoo, name),
        what_if=what_if(zoo, name, links),
        snippet=loading_snippet(name, details_of(zoo.data.models, name)),
        scores=_scores(zoo, name, row, links),
        siblings=_siblings(zoo, name, links),
        attempts=attempts_of(zoo.data.attempts, name),
        compare=links.compare(models=(name,)),
    )


def _facts(zoo: Zoo, row: Series) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []
    for column in (*_FACTS, *_MORE):
        if column not in row.index:
            continue
        value = row[column]
        said = text(value) if column in zoo.texts else number(zoo, column, float(value)).text
        if said:
            facts.append((title(column), said))
    return facts


def _accuracies(zoo: Zoo, name: str) -> Table | None:
    columns = (
        Column("Accuracy", numeric=False),
        Column("Value"),
        Column("Rank"),
        Column("Source", numeric=False),
    )
    rows: list[Row] = []
    for truth in zoo.truths:
        value = float(zoo.data.accuracies.at[name, truth])
        if math.isnan(value):
            continue
        place = rank(float(zoo.ranks.at[name, truth]), zoo.counts[truth])
        source = zoo.data.sources.get(truth, "")
        cells = (Cell(truth), number(zoo, truth, value), place, Cell(source))
        rows.append(Row(cells, "judged by" if truth == zoo.truth else ""))
    return Table("accuracies", "Accuracies", columns, tuple(rows)) if rows else None


def _scores(zoo: Zoo, name: str, row: Series, links: Links) -> Table:
    """Every score of the model, the strongest first; the rank is that of the better values."""
    columns = (
        Column("Score", numeric=False),
        Column("Value"),
        Column("Rank", "1 is the best as the score's paper claims, else as it goes with accuracy"),
        Column("Percentile", "share of the other models that rank below, in per cent"),
        Column("Better", numeric=False),
        *([Column("No value because", numeric=False)] if row[zoo.scores].isna().any() else []),
    )
    gaps = zoo.data.gaps
    mine = gaps[gaps["model"] == name]
    reasons = dict(zip(mine["score"].astype(str), mine["reason"].map(text), strict=True))
    values, places = row.to_dict(), zoo.ranks.loc[name].to_dict()
    rows: list[Row] = []
    for label in zoo.scores:
        value = float(values[label])
        reason = "" if not math.isnan(value) else reasons.get(label, "not computed")
        place, n = float(places[label]), zoo.counts[label]
        cells = (
            Cell(label, href=links.score(label)),
            value_of(zoo, label, name, value),
            rank(place, n),
            percentile(place, n),
            Cell("higher" if zoo.signs[label] > 0 else "lower"),
            *([Cell(reason)] if len(columns) > 5 else []),
        )
        rows.append(Row(cells, "baseline" if label in BASELINES else ""))
    order = "strongest first" if zoo.found else "in their own order"
    return Table("scores", f"All scores of this model, {order}", columns, tuple(rows))


def _siblings(zoo: Zoo, name: str, links: Links) -> Table | None:
    """Other weights of the same architecture, and other image sizes of these."""
    others = [each for each in zoo.architectures[name.partition(".")[0]] if each != name]
    if not others:
        return None
    shown = [c for c in (*zoo.truths[:1], "params", "macs", "image_size") if c in zoo.board]
    more = [c for c in ("pretraining",) if c in zoo.board]
    columns = (
        Column("Model", numeric=False),
        *(Column(title(c)) for c in shown),
        *(Column(title(c), numeric=False) for c in more),
    )
    board = zoo.board.loc[[name, *others], [*shown, *more]]
    if zoo.truth:
        board = board.sort_values(zoo.truth, ascending=False, kind="stable")
    rows = tuple(
        Row(
            (
                Cell(str(each), href="" if each == name else links.model(str(each))),
                *(number(zoo, c, float(values[c])) for c in shown),
                *(Cell(text(values[c])) for c in more),
            ),
            "this model" if each == name else "",
        )
        for each, values in zip(board.index, board.to_dict("records"), strict=True)
    )
    return Table("siblings", "Other weights of the same architecture", columns, rows)
