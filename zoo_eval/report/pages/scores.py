"""Every score with its correlations: forest plot and table."""

from dataclasses import replace

from zoo_eval.report import sentences, tables
from zoo_eval.report.findings import Findings
from zoo_eval.report.pages.layout import page
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.tables import Cell, Column, Row, Table

# Scores that a sentence names; the table has all.
NAMED = 5


def scores_page(zoo: Zoo, links: Links) -> str:
    """The page: with an accuracy the forest, without one the list of scores."""
    found = zoo.found
    return page(
        "scores.html.jinja",
        zoo,
        links,
        here="scores",
        title="Scores",
        question=sentences.question(found) if found else "Scores",
        note=zoo.note,
        verdict=sentences.verdict(found, NAMED) if found else "",
        scope=sentences.scope(found) if found else "",
        how_to_read=sentences.HOW_TO_READ,
        table=_forest(found, links) if found else _plain(zoo, links),
        undefined=_linked(tables.undefined_table(found), links) if found else None,
        forest=links.figure("forest.svg") if found else "",
    )


def _forest(found: Findings, links: Links) -> Table:
    """The table of correlations, each name linked to its score's page."""
    return _linked(tables.correlations_table(found), links)


def _linked(table: Table, links: Links) -> Table:
    rows = tuple(
        replace(
            row, cells=(replace(row.cells[0], href=links.score(row.cells[0].text)), *row.cells[1:])
        )
        for row in table.rows
    )
    return replace(table, rows=rows)


def _plain(zoo: Zoo, links: Links) -> Table:
    columns = (Column("Score", numeric=False), Column("Models"), Column("Meaning", numeric=False))
    counts = zoo.data.scores.notna().sum()
    rows: list[Row] = []
    for label in zoo.scores:
        known, n = zoo.definition(label), int(counts[label])
        summary = known.summary if known else ""
        rows.append(
            Row((Cell(label, href=links.score(label)), Cell(str(n), float(n)), Cell(summary)))
        )
    return Table("correlations", "Scores, and how many models have each", columns, tuple(rows))
