"""Lines of a table, against the template that says the same and takes five times as long."""

import math
import re

from jinja2 import Environment

from zoo_eval.report.svg import interval_svg
from zoo_eval.report.table_body import body_of
from zoo_eval.report.tables import Cell, Column, Row, Table
from zoo_eval.report.typography import breakable, minus

TEMPLATE = """
{%- for row in table.rows %}
<tr{% if row.mark %} class="marked"{% endif %}>
{%- for cell in row.cells %}
{%- set column = table.columns[loop.index0] %}
{%- set text = cell.text %}
{%- set long = text|length > 60 %}
{%- if loop.first %}
<th scope="row"{% if long %} class="long"{% endif %}>
{%- if cell.href %}<a href="{{ cell.href }}">{{ text|breakable }}</a>
{%- else %}{{ text|breakable }}{% endif %}
{%- if row.mark %} <span class="mark">{{ row.mark }}</span>{% endif %}
{%- if cell.note %}<span class="note">{{ cell.note }}</span>{% endif %}</th>
{%- elif column.numeric %}
{%- set value = cell.value %}
<td class="number{% if column.drawn %} drawn{% endif %}"
{%- if value == value %} data-v="{{ "%.6g"|format(value) }}"{% endif %}>
{%- if column.drawn %}
{{- value|interval_svg(cell.low, cell.high, row.mark == "baseline") }}<span>{% endif %}
{{- text|minus }}
{%- if cell.interval or cell.note %} <span class="interval">
{{- (cell.interval or cell.note)|minus }}</span>{% endif %}
{%- if column.drawn %}</span>{% endif %}
</td>
{%- else %}
<td{% if long %} class="long"{% endif %}>
{%- if cell.href %}<a href="{{ cell.href }}">{{ text }}</a>{% else %}{{ text }}{% endif %}</td>
{%- endif %}
{%- endfor %}
</tr>
{%- endfor %}
"""


def by_template(table):
    environment = Environment(autoescape=True)
    filters = {"minus": minus, "breakable": breakable, "interval_svg": interval_svg}
    environment.filters |= filters
    return environment.from_string(TEMPLATE).render(table=table)


def without_gaps(html):
    return re.sub(r"\s*([<>])\s*", r"\1", str(html))


def test_every_kind_of_cell_is_that_of_the_template():
    columns = (
        Column("name", numeric=False),
        Column("drawn", drawn=True),
        Column("number"),
        Column("text", numeric=False),
    )
    hostile = "<script>alert('&\"')</script>"
    rows = (
        Row((Cell("resnet_50.a1=x"), Cell("-0.5", -0.5, -0.7, -0.2), Cell("1e-9", 1e-9), Cell(""))),
        Row((Cell("x" * 61, href="a.html"), Cell("", math.nan), Cell("3", 3.0), Cell("y" * 61))),
        Row(
            (
                Cell(hostile, href=hostile, note=hostile),
                Cell(hostile, 0.25, note=hostile),
                Cell("", note="-1 to 2"),
                Cell(hostile, href=hostile),
            ),
            mark=hostile,
        ),
        Row((Cell("params"), Cell("0.9", 0.9), Cell("2", 2.0, 1.0, 3.0), Cell("-5")), "baseline"),
    )
    table = Table("t", "a table", columns, rows)
    assert without_gaps(body_of(table)) == without_gaps(by_template(table))
    assert "<script>" not in body_of(table)
