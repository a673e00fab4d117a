"""The report as Markdown."""

import json
from typing import Any

from zoo_eval.report import ensemble_text, sentences, tables
from zoo_eval.report.collect import ReportData
from zoo_eval.report.ensembles import Ensembles
from zoo_eval.report.findings import Findings
from zoo_eval.report.predictions import Predictions
from zoo_eval.report.provenance import Provenance
from zoo_eval.report.tables import Cell, Table

# Longer lists are in leaderboard.csv and in the store.
_LINES = 20
_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*[]|#"} | {"<": "&lt;", "\n": " ", "\r": " "})


def to_markdown(
    found: Findings,
    made: Provenance,
    figures: dict[str, str],
    predicted: Predictions | None = None,
    together: Ensembles | None = None,
) -> str:
    """The report as Markdown, with links to the figures.

    Args:
        found: The statistics.
        made: What made the report.
        figures: File of each figure, relative to the report, by its title.
        predicted: The accuracy as predicted from the scores; None: it was not asked for.
        together: What the networks are worth together; None: it was not asked for.
    """
    blocks = [
        f"# {_escaped(sentences.question(found))}",
        _escaped(sentences.scope(found)),
        f"**{_escaped(sentences.verdict(found))}**",
        _escaped(sentences.trust(found)),
        "## Correlations",
        _table(tables.correlations_table(found)),
        *(f"![{_escaped(title)}]({file})" for title, file in figures.items()),
        "### How to read this",
        "\n".join(f"- {_escaped(line)}" for line in sentences.HOW_TO_READ),
        *_predicted(predicted),
        *_section("## Over seeds", tables.seeds_table(found.data, found.scores), "over_seeds.csv"),
        *_together(together),
        *_section("## Leaderboard", tables.leaderboard_table(found, _LINES), "leaderboard.csv"),
        *_section("## Undefined", tables.undefined_table(found), "the store"),
        *_section("## Failures", tables.failures_table(found), "the store"),
        "## Provenance",
        "\n".join(f"- {_escaped(what)}: {_escaped(text)}" for what, text in facts(found, made)),
    ]
    return "\n\n".join(blocks) + "\n"


def _predicted(predicted: Predictions | None) -> list[str]:
    if predicted is None or not predicted.found:
        return []
    return ["## Prediction", "\n".join(f"- {_escaped(line)}" for line in predicted.verdicts)]


def _together(found: Ensembles | None) -> list[str]:
    if found is None:
        return []
    if found.why_none:
        return ["## Ensembles", _escaped(found.why_none)]
    said = f"{ensemble_text.verdict(found)} {ensemble_text.scope(found)}"
    return ["## Ensembles", _escaped(said), _table(ensemble_text.averages_table(found))]


def facts(found: Findings, made: Provenance) -> list[tuple[str, str]]:
    """What made the report and what it was made from, line by line."""
    bootstrap = f"{found.resamples:,} resamples of families, seed {found.seed}"
    return [*made_with(made), ("Bootstrap", bootstrap), *made_from(found.data)]


def made_with(made: Provenance) -> list[tuple[str, str]]:
    """What made the report."""
    return [
        ("Command", made.command or "written from Python"),
        ("Date", f"{made.written:%Y-%m-%d %H:%M} UTC"),
        ("Commit", made.commit or "not a checkout"),
        ("Versions", sentences.versions(made.versions)),
    ]


def made_from(data: ReportData) -> list[tuple[str, str]]:
    """The datasets and runs that the numbers come from."""
    lines: list[tuple[str, str]] = []
    for row in data.datasets.to_dict("records"):
        about = f"{row['name']}, digest {row['digest']}, {row['n_images']:,} images of "
        lines.append(("Dataset", f"{about}{row['n_classes']} classes"))
    for row in data.runs.to_dict("records"):
        lines.append(("Run", _run(row)))
    return lines


def _run(row: dict[Any, Any]) -> str:
    versions = sentences.versions(json.loads(row["versions"] or "{}"))
    commit = row["git_commit"] or "not a checkout"
    return f"{row['command']}; {row['started']:%Y-%m-%d %H:%M} UTC; commit {commit}; {versions}"


def _section(heading: str, table: Table, more_in: str) -> list[str]:
    if not table.rows:
        return []
    left = max(len(table.rows) - _LINES, 0) + table.left_out
    more = [f"{left:,} more are in {more_in}."] if left > 0 else []
    return [heading, _table(table, _LINES), *more]


def _table(table: Table, limit: int | None = None) -> str:
    header = " | ".join(_escaped(column.title) for column in table.columns)
    rule = " | ".join("---:" if column.numeric else "---" for column in table.columns)
    lines = [f"| {header} |", f"| {rule} |"]
    for row in table.rows[:limit]:
        cells = [_cell(cell) for cell in row.cells]
        if row.mark:
            cells[0] += f" ({row.mark})"
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(cell: Cell) -> str:
    text = _escaped(cell.text)
    return f"{text} ({cell.interval})" if cell.interval else text


def _escaped(text: str) -> str:
    return text.translate(_SPECIAL)
