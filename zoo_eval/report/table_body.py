"""The lines of a table as HTML, without a template: a site has a million cells."""

from markupsafe import Markup, escape

from zoo_eval.report.svg import interval_svg
from zoo_eval.report.tables import Cell, Row, Table
from zoo_eval.report.typography import breakable, minus

# With more letters a cell is made wide, for its text would be a narrow column of many lines.
_LONG = 60


def body_of(table: Table) -> Markup:
    """Its lines, everything escaped. In a template each cell would take five times as long."""
    kinds = [_drawn if c.drawn else _number if c.numeric else _text for c in table.columns[1:]]
    parts: list[str] = []
    for row in table.rows:
        parts.append('<tr class="marked">' if row.mark else "<tr>")
        parts.append(_name(row.cells[0], row.mark))
        parts += [kind(cell, row) for kind, cell in zip(kinds, row.cells[1:], strict=True)]
        parts.append("</tr>\n")
    return Markup("".join(parts))


def _name(cell: Cell, mark: str) -> str:
    text = _linked(cell.href, breakable(cell.text))
    said = f' <span class="mark">{escape(mark)}</span>' if mark else ""
    note = f'<span class="note">{escape(cell.note)}</span>' if cell.note else ""
    return f'<th scope="row"{_long(cell.text)}>{text}{said}{note}</th>'


def _text(cell: Cell, row: Row) -> str:
    del row
    return f"<td{_long(cell.text)}>{_linked(cell.href, escape(cell.text))}</td>"


def _number(cell: Cell, row: Row) -> str:
    del row
    return f'<td class="number"{_value(cell.value)}>{_numerals(cell)}</td>'


def _drawn(cell: Cell, row: Row) -> str:
    picture = interval_svg(cell.value, cell.low, cell.high, row.mark == "baseline")
    return (
        f'<td class="number drawn"{_value(cell.value)}>{picture}<span>{_numerals(cell)}</span></td>'
    )


def _numerals(cell: Cell) -> str:
    below = cell.interval or cell.note
    text = escape(minus(cell.text))
    return f'{text} <span class="interval">{escape(minus(below))}</span>' if below else text


def _value(value: float) -> str:
    """What a script sorts the cell by."""
    return f' data-v="{value:.6g}"' if value == value else ""


def _long(text: str) -> str:
    return ' class="long"' if len(text) > _LONG else ""


def _linked(href: str, text: Markup) -> str:
    return f'<a href="{escape(href)}">{text}</a>' if href else text
