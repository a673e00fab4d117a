"""The report's tables as text in cells, the same for every output format."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from zoo_eval.report import formats
from zoo_eval.report.collect import BASELINES, ReportData
from zoo_eval.report.findings import Findings
from zoo_eval.report.frames import Frame, records_of

# A page of numbers is not a leaderboard: beside the baselines, the strongest scores are shown.
LEADERBOARD_SCORES = 8


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: What stands above it.
        meaning: What that means; empty if it is plain.
        numeric: Whether it holds numbers.
        drawn: Whether a page should draw its numbers and intervals, from -1 to 1.
        href: Where a page links the title to: the same table, sorted by this column.
        order: `ascending` or `descending`, if the table is sorted by this column.
    """

    title: str
    meaning: str = ""
    numeric: bool = True
    drawn: bool = False
    href: str = ""
    order: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell: its text, the number to sort it by, and the interval around that number.

    A page links the text to `href`, if there is one, and sets `note` in small print below it.
    """

    text: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    href: str = ""
    note: str = ""

    @property
    def interval(self) -> str:
        """The interval as text; empty if there is none."""
        if math.isnan(self.low):
            return ""
        return f"{formats.fixed(self.low)} to {formats.fixed(self.high)}"


@dataclass(frozen=True)
class Row:
    """A line of a table; the first cell names it.

    Attributes:
        cells: One cell per column.
        mark: Why the line stands out, for example `baseline`; empty if it does not.
    """

    cells: tuple[Cell, ...]
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a caption.

    Attributes:
        name: Its name within the report.
        caption: What stands above it.
        columns: Its columns.
        rows: Its lines.
        left_out: How many lines more there would be.
        sortable: Whether a page may sort it where it stands.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    left_out: int = 0
    sortable: bool = True


def correlations_table(found: Findings, labels: Sequence[str] | None = None) -> Table:
    """One line per score, strongest first, the baselines among them; or only of some scores."""
    shown: Frame = found.correlations if labels is None else found.correlations.loc[list(labels)]
    columns = (
        Column("Score", "name[options] @weights on dataset", numeric=False),
        Column("Spearman ρ", "rank correlation with the accuracy, 95 % interval", drawn=True),
        Column("Kendall τ_b", "concordant less discordant pairs, 95 % interval"),
        Column("Weighted τ", "Kendall's τ that counts the best models more"),
        Column("Partial ρ", "what is left of ρ at equal parameters"),
        Column("p (Holm)", "p-value of ρ = 0, corrected for the number of scores"),
        Column("Δ|ρ|", "|ρ| less that of the best baseline on the same models, 95 % interval"),
        Column("n", "models that have the score and the accuracy"),
        Column("Coverage", "share of the models with the accuracy that have the score"),
        Column("Seconds", "median time for one model"),
    )
    rows = tuple(
        Row(
            (
                Cell(str(score)),
                Cell(
                    formats.fixed(r.spearman_rho), r.spearman_rho, r.spearman_low, r.spearman_high
                ),
                Cell(formats.fixed(r.kendall_tau), r.kendall_tau, r.kendall_low, r.kendall_high),
                _fixed(r.weighted_tau),
                _fixed(r.partial_rho),
                Cell(formats.p_value(r.p_holm), r.p_holm),
                Cell(
                    formats.fixed(r.difference), r.difference, r.difference_low, r.difference_high
                ),
                Cell(str(r.n), float(r.n)),
                Cell(formats.share(r.coverage), r.coverage),
                Cell(formats.seconds(r.seconds), r.seconds),
            ),
            "baseline" if r.baseline else "",
        )
        for score, r in records_of(shown)
    )
    caption = f"Correlation of each score with {found.truth}, strongest first"
    return Table("correlations", caption, columns, rows)


def leaderboard_table(found: Findings, lines: int) -> Table:
    """One line per model, best first, with the baselines and the strongest scores.

    Args:
        found: The statistics.
        lines: How many models to show at most.
    """
    board = found.leaderboard[:lines]
    chosen = [*found.data.baselines, *found.scores[:LEADERBOARD_SCORES]]
    columns = (
        Column("Model", numeric=False),
        Column("Rank", "by accuracy"),
        Column("Family", numeric=False),
        Column(found.truth, "the accuracy that the scores are judged by"),
        Column("Trust gate", "measured against published accuracy", numeric=False),
        *(Column(name) for name in chosen),
    )
    shown = board[list(dict.fromkeys(["family", found.truth, "trusted", *chosen]))]
    ranks = found.leaderboard[found.truth].rank(ascending=False, method="min")
    trusted = {True: "passed", False: "outside", None: "not checked"}
    rows = tuple(
        Row(
            (
                Cell(str(model)),
                Cell(f"{ranks[model]:.0f}", float(ranks[model])),
                Cell(_text(r["family"])),
                _fixed(r[found.truth]),
                Cell(trusted[r["trusted"]]),
                *(_score_cell(name, r[name]) for name in chosen),
            ),
            "outside the trust gate" if r["trusted"] is False else "",
        )
        for model, r in zip(board.index, shown.to_dict("records"), strict=True)
    )
    caption = f"Models by {found.truth}, with the baselines and the strongest scores"
    return Table("leaderboard", caption, columns, rows, len(found.leaderboard) - len(rows))


def undefined_table(found: Findings) -> Table:
    """Why scores have no value, or no correlation."""
    columns = (
        Column("Score", numeric=False),
        Column("Models"),
        Column("Reason", numeric=False),
        Column("For example", numeric=False),
    )
    whole = [
        Row(
            (
                Cell(str(score)),
                Cell(str(r.n), float(r.n)),
                Cell(f"No correlation: {reason}."),
                Cell(""),
            )
        )
        for score, r in records_of(found.correlations)
        if (reason := r.undefined_because)
    ]
    single = [
        Row(
            (
                Cell(str(r.score)),
                Cell(str(r.n_models), float(r.n_models)),
                Cell(_text(r.reason)),
                Cell(str(r.example)),
            )
        )
        for _, r in records_of(found.data.undefined)
    ]
    return Table("undefined", "Scores without a value, and why", columns, (*whole, *single))


def seeds_table(data: ReportData, labels: Sequence[str]) -> Table:
    """What seeds do to these scores, of those that were computed at two or more."""
    columns = (
        Column("Score", numeric=False),
        Column("Models", "that have two seeds or more"),
        Column("Seeds", "most that a model has"),
        Column("Median sd", "standard deviation over a model's seeds, median of the models"),
        Column("ICC", "share of the variance that lies between models, 95 % interval"),
        Column("τ_b between seeds", "rank correlation of two seeds' values, mean over the pairs"),
        Column("Pairs alike", "how often two models' order is the usual one, mean over the pairs"),
    )
    found = data.over_seeds
    rows = tuple(
        Row(
            (
                Cell(str(label)),
                Cell(str(r.models), float(r.models)),
                Cell(str(r.seeds), float(r.seeds)),
                Cell(formats.significant(r.median_sd), r.median_sd),
                Cell(formats.fixed(r.icc), r.icc, r.icc_low, r.icc_high),
                _fixed(r.seed_tau),
                Cell(formats.share(r.pair_certainty), r.pair_certainty),
            )
        )
        for label, r in records_of(found.loc[[label for label in labels if label in found.index]])
    )
    return Table("seeds", "What seeds change", columns, rows)


def failures_table(found: Findings) -> Table:
    """Models that could not be evaluated."""
    columns = tuple(
        Column(title, numeric=False) for title in ("Model", "Weights", "Error", "Message")
    )
    rows = tuple(
        Row(tuple(Cell(_text(cell)) for cell in (r.model, r.weights, r.error_type, r.message)))
        for _, r in records_of(found.data.failures)
    )
    return Table("failures", "Models that failed", columns, rows)


def baselines_missing(found: Findings) -> list[str]:
    """Baselines that neither a score nor the manifest gives."""
    return [name for name in BASELINES if name not in found.data.baselines]


def _score_cell(name: str, value: float) -> Cell:
    text = formats.count(value) if name in BASELINES else formats.significant(value)
    return Cell(text, value)


def _fixed(value: float) -> Cell:
    return Cell(formats.fixed(value), value)


def _text(value: object) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if missing else str(value)
