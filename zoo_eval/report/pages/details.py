"""Tables of what one score's correlation depends on."""

import math
from typing import Any

from zoo_eval.report import formats
from zoo_eval.report.details import WITHIN, Details
from zoo_eval.report.findings import Findings
from zoo_eval.report.frames import Frame
from zoo_eval.report.pages.cells import title
from zoo_eval.report.pages.links import Links
from zoo_eval.report.tables import Cell, Column, Row, Table

_RHO = Column("Spearman ρ", "rank correlation, 95 % interval by family", drawn=True)
_TAU = Column("Kendall τ_b", "concordant less discordant pairs, 95 % interval by family")
_N = Column("n", "models")
_COEFFICIENTS = (
    ("Spearman ρ", "spearman_rho"),
    ("Kendall τ_b", "kendall_tau"),
    ("Pearson r", "pearson_r"),
    ("Weighted τ", "weighted_tau"),
    ("Partial ρ at equal parameters", "partial_rho"),
)


def details_tables(found: Findings, label: str, more: Details, links: Links) -> list[Table]:
    """The tables, in the order in which a reader asks."""
    row = found.correlations.loc[label]
    made = [
        _coefficients(row, more),
        _sizes(more),
        _subsets(more.subsets),
        _truths(more.truths, links),
        _top(more),
        _influence(more.influence, links),
    ]
    return [table for table in made if table.rows]


def _coefficients(row: Any, more: Details) -> Table:  # noqa: ANN401  # a line of a frame
    """Every coefficient; each interval beside the one that takes the models as independent."""
    columns = (
        Column("Coefficient", numeric=False),
        Column("Value", "95 % interval by family", drawn=True),
        Column("If models were independent", "95 % interval of the plain bootstrap"),
    )
    rows: list[Row] = []
    for name, key in _COEFFICIENTS:
        kind, value = key.partition("_")[0], float(row[key])
        if math.isnan(value):
            continue
        low, high = (float(row.get(f"{kind}_{end}", math.nan)) for end in ("low", "high"))
        plain = (float(more.plain.get(f"{kind}_{end}", math.nan)) for end in ("low", "high"))
        cells = (Cell(name), Cell(formats.fixed(value), value, low, high), _interval(*plain))
        rows.append(Row(cells))
    caption = "Coefficients, and how far families widen their intervals"
    if not math.isnan(row["p_permuted_holm"]):
        p = formats.p_value(float(row["p_permuted_holm"]))
        caption += f"; p {p if p.startswith('<') else f'= {p}'} by permutation, after Holm"
    return Table("coefficients", caption, columns, tuple(rows), sortable=False)


def _truths(lines: Frame, links: Links) -> Table:
    if len(lines) < 2:
        lines = lines.head(0)
    columns = (Column("Accuracy", numeric=False), _RHO, _TAU, _N)
    rows = tuple(
        _line(line, _named(line.truth, line.undefined_because, links.judged_by(line.truth)))
        for line in lines.itertuples(index=False)
    )
    caption = "The same score judged by each accuracy"
    return Table("truths", caption, columns, rows, sortable=False)


def _subsets(lines: Frame) -> Table:
    columns = (Column("Subset", numeric=False), _RHO, _TAU, _N)
    rows = tuple(
        _line(line, _named(line.subset, line.undefined_because))
        for line in lines.itertuples(index=False)
    )
    return Table(
        "subsets", "On subsets of the models, which overlap", columns, rows, sortable=False
    )


def _line(line: Any, name: Cell) -> Row:  # noqa: ANN401  # a line of `by_subset`
    return Row(
        (
            name,
            Cell(formats.fixed(line.rho), line.rho, line.low, line.high),
            Cell(formats.fixed(line.tau), line.tau, line.tau_low, line.tau_high),
            _count(line.n),
        )
    )


def _sizes(more: Details) -> Table:
    """What is left at equal size, in three ways to hold it equal."""
    columns = (Column("At equal size", numeric=False), _RHO, _TAU, _N)
    rows = [
        Row(
            (
                _named(_given(line.given), line.undefined_because),
                Cell(
                    formats.fixed(line.partial_rho), line.partial_rho, line.rho_low, line.rho_high
                ),
                Cell(
                    formats.fixed(line.partial_tau), line.partial_tau, line.tau_low, line.tau_high
                ),
                _count(line.n),
            )
        )
        for line in more.controls.itertuples(index=False)
    ]
    near, within = more.near, more.within
    pairs = f"{near['pairs']:,} pairs within {WITHIN:.0%} in params"
    tau = Cell(formats.fixed(near["tau"]), near["tau"], near["low"], near["high"])
    name = _named(pairs, near["undefined_because"])
    rows.append(Row((name, Cell(""), tau, _count(int(near["n"])))))
    rho, tau = (
        Cell(
            formats.fixed(within[name]), within[name], within[f"{name}_low"], within[f"{name}_high"]
        )
        for name in ("rho", "tau")
    )
    families = _named(f"within {within['families']} families", within["undefined_because"])
    rows.append(Row((families, rho, tau, _count(int(within["n"])))))
    return Table("sizes", "What is left at equal size", columns, tuple(rows), sortable=False)


def _given(control: str) -> str:
    return "given all of these" if control == "all" else f"given {title(control)}"


def _top(more: Details) -> Table:
    columns = (
        Column("Take", "models that the score puts on top", numeric=False),
        Column("Recall", "share of the models that are best that are among them"),
        Column("Regret", "accuracy of the best model less that of the best among them"),
        Column("nDCG", "normalised discounted cumulative gain; 1 is the order of the accuracy"),
    )
    rows = tuple(
        Row(
            (
                _named(_taken(str(line.k), int(line.models)), line.undefined_because),
                *(
                    Cell(formats.fixed(value), value)
                    for value in (line.recall, line.regret, line.ndcg)
                ),
            )
        )
        for line in more.top.itertuples(index=False)
    )
    end = "highest"
    if len(more.top) and more.top["higher_is_better"].iloc[0] is False:
        end = "lowest"
    caption = f"If you take the models with the {end} scores, the end that goes with accuracy here"
    return Table("top", caption, columns, rows, sortable=False)


def _taken(k: str, models: int) -> str:
    noun = "model" if models == 1 else "models"
    return f"{k} ({models:,} {noun})" if k.endswith("%") else f"{k} {noun}"


def _influence(lines: Frame, links: Links) -> Table:
    columns = (
        Column("Without", numeric=False),
        Column("What", numeric=False),
        Column("ρ"),
        Column("Change", "ρ without it less ρ with it"),
        Column("n left", "models"),
    )
    rows = tuple(
        Row(
            (
                Cell(str(line.name), href=links.model(str(line.name)) if is_model else ""),
                Cell("model" if is_model else "family"),
                Cell(formats.fixed(line.spearman_rho), line.spearman_rho),
                Cell(formats.fixed(line.change, 4), line.change),
                _count(line.n),
            )
        )
        for line in lines.itertuples(index=False)
        for is_model in [line.without == "model"]
    )
    caption = "Models and families without which ρ changes most"
    return Table("influences", caption, columns, rows, sortable=False)


def _named(text: str, remark: object, href: str = "") -> Cell:
    """The first cell of a line, with the reason why the others are empty."""
    return Cell(text, href=href, note=str(remark))


def _count(n: int) -> Cell:
    return Cell(f"{n:,}", float(n))


def _interval(low: float, high: float) -> Cell:
    return Cell(Cell("", low, low, high).interval)
