"""Some models, or two scores, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo_eval.correlation.comparison import compare
from zoo_eval.report import formats
from zoo_eval.report.board import SPEED
from zoo_eval.report.collect import BASELINES
from zoo_eval.report.pages.agreement import Agreement, agreement
from zoo_eval.report.pages.cells import number, rank, text, title
from zoo_eval.report.pages.figure import PageFigure
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.plots import Axes, Points, scatter
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.tables import Cell, Column, Row, Table

MOST_MODELS = 6
# Pairs of models grow with the square of their number.
_MOST_DISAGREEMENTS = 20


@dataclass(frozen=True)
class Choice:
    """What is to be compared.

    Attributes:
        models: Two to six models.
        scores: Two scores.
        problems: What was wrong with the choice, sentence by sentence.
    """

    models: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def choose(zoo: Zoo, models: Sequence[str], scores: Sequence[str]) -> Choice:
    """Check a choice; what cannot be compared is left out and named."""
    problems = [f"There is no model {m!r}." for m in models if m and m not in zoo.board.index]
    problems += [f"There is no score {s!r}." for s in scores if s and s not in zoo.data.scores]
    kept = [m for m in dict.fromkeys(models) if m in zoo.board.index]
    pair = [s for s in dict.fromkeys(scores) if s in zoo.data.scores]
    if len(kept) > MOST_MODELS:
        problems.append(f"At most {MOST_MODELS} models fit side by side; the first are shown.")
    if len(pair) > 2:
        problems.append("Two scores can be compared at a time; the first two are shown.")
    if len(kept) == 1:
        problems.append(f"Choose another model to compare with {kept[0]}.")
    if len(pair) == 1:
        problems.append(f"Choose another score to compare with {pair[0]}.")
    return Choice(tuple(kept[:MOST_MODELS]), tuple(pair[:2]), tuple(problems))


def compare_page(zoo: Zoo, choice: Choice, links: Links) -> str:
    """The page: models against each other, and two scores against each other."""
    models = choice.models if len(choice.models) > 1 else ()
    pair = choice.scores if len(choice.scores) == 2 and zoo.found else ()
    both = _agreement(zoo, *pair) if pair else None
    return page(
        "compare.html.jinja",
        zoo,
        links,
        here="compare",
        title="Compare",
        choice=choice,
        names=[str(name) for name in zoo.board.index],
        labels=zoo.scores,
        most=MOST_MODELS,
        models=_models(zoo, models, links) if models else None,
        pair=pair,
        figure=_figure(zoo, pair, both) if both else None,
        verdict=_verdict(zoo, pair, both) if both else (),
        disagreements=_disagreements(zoo, pair, both, links) if both else None,
    )


def _models(zoo: Zoo, names: Sequence[str], links: Links) -> Table:
    """One column per model, one line per fact, accuracy and score."""
    columns = (Column("Fact", numeric=False), *(Column(name) for name in names))
    facts = [c for c in ("family", "pretraining", "licence", "image_size") if c in zoo.board]
    shown = [*facts, *zoo.truths, *BASELINES, SPEED, *zoo.scores]
    rows: list[Row] = []
    for column in dict.fromkeys(c for c in shown if c in zoo.board):
        values = [zoo.board.at[name, column] for name in names]
        if column in zoo.texts:
            cells = [Cell(text(value)) for value in values]
        else:
            cells = [number(zoo, column, float(value)) for value in values]
        if column not in zoo.texts and column not in (*BASELINES, SPEED, "image_size"):
            n = zoo.counts[column]
            places = [rank(float(zoo.ranks.at[name, column]), n).text for name in names]
            cells = [
                Cell(f"{cell.text} ({place})" if place else cell.text, cell.value)
                for cell, place in zip(cells, places, strict=True)
            ]
        href = links.score(column) if column in zoo.data.scores else ""
        rows.append(Row((Cell(title(column), href=href), *cells)))
    caption = "Facts, accuracies and scores; in brackets the rank, 1 for the best"
    return Table("models", caption, columns, tuple(rows), sortable=False)


def _agreement(zoo: Zoo, first: str, second: str) -> tuple[list[str], Agreement] | None:
    known = zoo.board[[first, second, zoo.truth]].dropna()
    if len(known) < 3:
        return None
    a, b, t = (known[name].to_numpy(np.float64) for name in (first, second, zoo.truth))
    found = agreement(zoo.signs[first] * a, zoo.signs[second] * b, t)
    return [str(name) for name in known.index], found


def _figure(zoo: Zoo, pair: Sequence[str], both: tuple[list[str], Agreement]) -> PageFigure:
    names, found = both
    chosen = zoo.groups.reindex(names).to_numpy()
    every = np.array(names, object)
    series = [
        Points(
            group or "no family",
            found.ranks[chosen == group, 0],
            found.ranks[chosen == group, 1],
            every[chosen == group].tolist(),
        )
        for group in zoo.group_names
    ]
    axes = Axes(f"place by {pair[0]} (1 = best)", f"place by {pair[1]} (1 = best)")
    about = (
        f"ρ = {formats.fixed(found.rho)} between the two, {found.n} models; on the diagonal they "
        "agree."
    )
    return PageFigure("agreement", f"{pair[0]} and {pair[1]}", about, scatter(series, axes))


def _verdict(zoo: Zoo, pair: Sequence[str], both: tuple[list[str], Agreement]) -> tuple[str, ...]:
    """Who is right, in sentences."""
    _, found = both
    if zoo.found is None:
        return ()
    board = zoo.board
    first, second = (board[label].dropna() for label in pair)
    difference = compare(
        first,
        second,
        board[zoo.truth].dropna(),
        zoo.data.models["family"],
        zoo.found.resamples,
        zoo.found.seed,
    )
    lines: list[str] = []
    if found.pairs:
        ahead, share = (pair[0], found.first) if found.first >= 0.5 else (pair[1], 1 - found.first)
        lines.append(
            f"They put {found.pairs:,} pairs of models in opposite orders; {ahead} is right in "
            f"{formats.share(share)} of them."
        )
    else:
        lines.append("They put no two models of different accuracy in opposite orders.")
    if not np.isnan(difference.difference):
        interval = ""
        if not np.isnan(difference.low):
            ends = f"{formats.fixed(difference.low)} to {formats.fixed(difference.high)}"
            interval = f", 95 % interval {ends}"
        lines.append(
            f"|ρ| with {zoo.truth} of {pair[0]} less that of {pair[1]}: "
            f"{formats.fixed(difference.difference)}{interval}, on the {difference.n} models that "
            "have both."
        )
    return tuple(lines)


def _disagreements(
    zoo: Zoo, pair: Sequence[str], both: tuple[list[str], Agreement], links: Links
) -> Table:
    """Models that the two place furthest apart, and which of them is nearer to the accuracy."""
    names, found = both
    apart = np.abs(found.ranks[:, 0] - found.ranks[:, 1])
    order = np.argsort(-apart, kind="stable")[:_MOST_DISAGREEMENTS]
    off = np.abs(found.ranks[:, :2] - found.ranks[:, 2:])
    columns = (
        Column("Model", numeric=False),
        *(Column(f"Place by {name}") for name in (*pair, zoo.truth)),
        Column("Apart"),
        Column("Nearer", numeric=False),
    )
    rows: list[Row] = []
    for place in order.tolist():
        a, b = off[place].tolist()
        nearer = "both" if a == b else pair[0] if a < b else pair[1]
        cells = [Cell(formats.fixed(rank_, 0), rank_) for rank_ in found.ranks[place].tolist()]
        far = Cell(formats.fixed(float(apart[place]), 0), float(apart[place]))
        name = Cell(names[place], href=links.model(names[place]))
        rows.append(Row((name, *cells, far, Cell(nearer))))
    return Table("disagreements", "Where they disagree most", columns, tuple(rows))
