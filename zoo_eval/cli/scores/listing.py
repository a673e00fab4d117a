"""`zoo-eval scores` and `zoo-eval scores list`."""

import json
from typing import TYPE_CHECKING

from zoo_eval.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import Console

_ON_A_PIPE = ("group", "unit", "better", "needs", "weights", "cost", "paper", "summary")
_WIDE = 110  # columns of the terminal from which on units have room too


def list_scores(as_json: JsonOption = False) -> None:
    """List all scores; on a pipe one whole line for each."""
    from rich.console import Console

    from zoo_eval.cli.scores.facts import all_scores, facts

    rows = [facts(score) for score in all_scores()]
    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    console = Console()
    if console.is_terminal:
        _print_by_group(console, rows)
    else:
        _print_whole_lines(rows)
    n_pooled = sum(row["kind"] == "pool score" for row in rows)
    print(f"\n{len(rows)} scores, {n_pooled} of them relative to the pool of models.")
    print("`zoo-eval scores NAME` defines one, `zoo-eval scores new NAME` begins your own.")


def _print_whole_lines(rows: list[dict[str, str]]) -> None:
    """One line per score, with all there is: on a pipe there is no width to keep to."""
    columns = ("name", *_ON_A_PIPE)
    cells = [columns, *(tuple(row[column] for column in columns) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(padded).rstrip())


def _print_by_group(console: "Console", rows: list[dict[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("score", no_wrap=True)
    table.add_column("better", no_wrap=True)
    if console.width >= _WIDE:
        table.add_column("unit", max_width=20)
    table.add_column("what it is")
    for place, row in enumerate(rows):
        if place == 0 or row["group"] != rows[place - 1]["group"]:
            table.add_row(Text(f"{chr(10) * (place > 0)}{row['group'] or 'your own'}", "bold"))
        what = row["summary"]
        if row["kind"] == "pool score":
            what += f" Relative to the pool, from {row['needs']}."
        cells = [f"  {row['name']}", row["better"].replace("not claimed", "–")]
        if console.width >= _WIDE:
            cells.append(row["unit"])
        table.add_row(*map(Text, [*cells, what]))
    console.print(table)
    console.print("\nBetter: what the literature claims; – where it claims nothing.")
