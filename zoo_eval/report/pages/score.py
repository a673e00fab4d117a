"""One score: what it is, how it goes with accuracy, where it has no value."""

import math
import re

from zoo_eval.correlation import seed_means
from zoo_eval.errors import InputError
from zoo_eval.report import formats, tables
from zoo_eval.report.collect import BASELINES
from zoo_eval.report.details import Details
from zoo_eval.report.frames import Series
from zoo_eval.report.pages.cells import number, rank, text, value_of
from zoo_eval.report.pages.details import details_tables
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.score_figures import score_figures
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.tables import Cell, Column, Row, Table

_URL = re.compile(r"(https?://[^\s,;)]+)")
_MOST_ROWS = 100


def score_page(
    zoo: Zoo, label: str, links: Links, more: Details | None = None, *, failed: bool = False
) -> str:
    """The page of one score.

    Args:
        zoo: What is known.
        label: Of the score.
        links: Where the other pages lie.
        more: What its correlation depends on; None: that is being computed.
        failed: Whether computing it failed.

    Raises:
        InputError: there is no such score.
    """
    if label not in zoo.data.scores:
        raise InputError(f"There is no score {label!r} here; the page of scores lists all.")
    definition = zoo.definition(label)
    facts = zoo.data.columns.loc[label]
    figures = score_figures(zoo, label, links)
    return page(
        "score.html.jinja",
        zoo,
        links,
        here="scores",
        title=label,
        label=label,
        definition=definition,
        references=[_linked_text(r) for r in definition.references] if definition else [],
        baseline=label in BASELINES,
        setting=_setting(facts),
        statistics=_statistics(zoo, label),
        seeds=tables.seeds_table(zoo.data, [label]),
        figures=figures,
        values=_values(zoo, label, links),
        reasons=_reasons(zoo, label, links),
        more=details_tables(zoo.found, label, more, links) if zoo.found and more else (),
        pending=zoo.found is not None and more is None,
        failed=failed,
    )


def _setting(facts: Series) -> list[tuple[str, str]]:
    shown = (
        ("Options", text(facts["options"])),
        ("Weights", text(facts["weights"])),
        ("Dataset", text(facts["dataset"])),
        ("Seeds", formats.fixed(float(facts["seeds"]), 0)),
        ("Median time", formats.seconds(float(facts["seconds"]))),
    )
    kept = [(what, said) for what, said in shown if said not in ("", "{}", "none")]
    return [(what, f"{said} s" if what == "Median time" else said) for what, said in kept]


def _statistics(zoo: Zoo, label: str) -> Table | None:
    """The score's line of the table of correlations."""
    if zoo.found is None:
        return None
    whole = tables.correlations_table(zoo.found, [label])
    (row,) = whole.rows
    caption = f"Correlation with {zoo.found.truth}"
    cells = tuple(row.cells[1:])
    named = Row((Cell(zoo.found.truth), *cells))
    columns = (Column("Accuracy", numeric=False), *whole.columns[1:])
    return Table("statistics", caption, columns, (named,), sortable=False)


def _values(zoo: Zoo, label: str, links: Links) -> Table:
    """The models by this score, best first."""
    ranks = zoo.ranks[label].dropna().sort_values(kind="stable")
    shown = ranks.index[:_MOST_ROWS]
    columns = [Column("Model", numeric=False), Column("Rank"), Column(label)]
    parts = [ranks[shown], zoo.board.loc[shown, label]]
    if zoo.truth:
        columns += [Column(zoo.truth, "accuracy"), Column(f"Rank by {zoo.truth}")]
        parts += [zoo.board.loc[shown, zoo.truth], zoo.ranks.loc[shown, zoo.truth]]
    deviations = _deviations(zoo, label)
    if deviations is not None:
        columns.insert(3, Column("sd", "standard deviation over the model's seeds"))
    rows: list[Row] = []
    for model, place, value, *truth in zip(shown, *(p.tolist() for p in parts), strict=True):
        cells = [Cell(str(model), href=links.model(str(model)))]
        cells += [rank(place, len(ranks)), value_of(zoo, label, str(model), value)]
        if deviations is not None:
            sd = float(deviations.get(model, math.nan))
            cells.append(Cell(formats.significant(sd), sd))
        if truth:
            cells += [number(zoo, zoo.truth, truth[0]), rank(truth[1], zoo.counts[zoo.truth])]
        rows.append(Row(tuple(cells)))
    left = len(ranks) - len(rows)
    best = "largest first" if zoo.signs[label] > 0 else "smallest first"
    more = f"; {left:,} more are in the leaderboard" if left else ""
    return Table("values", f"Models by {label}, {best}{more}", tuple(columns), tuple(rows), left)


def _deviations(zoo: Zoo, label: str) -> Series | None:
    """Standard deviation over seeds by model, where there are several seeds."""
    by_seed = zoo.data.by_seed.get(label)
    return None if by_seed is None else seed_means(by_seed)["sd"]


def _reasons(zoo: Zoo, label: str, links: Links) -> Table | None:
    rows = zoo.data.undefined
    rows = rows[rows["score"] == label]
    if rows.empty:
        return None
    columns = (
        Column("Reason", numeric=False),
        Column("Models"),
        Column("For example", numeric=False),
    )
    lines = tuple(
        Row(
            (
                Cell(text(r.reason)),
                Cell(str(r.n_models), float(r.n_models)),
                Cell(str(r.example), href=links.model(str(r.example))),
            )
        )
        for r in rows.itertuples()
    )
    return Table("reasons", f"Why {label} has no value", columns, lines)


def _linked_text(reference: str) -> list[tuple[str, bool]]:
    """A reference in pieces: text, and whether it is an address to link to."""
    return [(piece, bool(_URL.fullmatch(piece))) for piece in _URL.split(reference) if piece]
