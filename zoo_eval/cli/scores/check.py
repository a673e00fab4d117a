"""`zoo-eval scores check`."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from zoo_eval.cli.options import JsonOption

if TYPE_CHECKING:
    from zoo_eval.conformance import Finding


def check(
    target: Annotated[
        str,
        typer.Argument(
            help="A score's name, or MODULE:FUNCTION for one that is not installed.",
            metavar="NAME",
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Check that a score keeps what every score promises.

    It has a value or says why not on small hard inputs, says the same when asked again, and
    leaves networks, arrays and random generators alone. Exit code 1: a check failed.
    """
    from zoo_eval.cli.scores.target import find_score
    from zoo_eval.conformance import examine

    score = find_score(target)
    findings = examine(score)
    failed = [finding for finding in findings if not finding.passed]
    if as_json:
        print(json.dumps([vars(finding) for finding in findings], indent=1, ensure_ascii=False))
    else:
        _print(findings)
        what = f"fails {len(failed)} of {len(findings)}" if failed else f"passes {len(findings)}"
        print(f"\n{score.name} {what} checks. With --json: what each one promises.")
    raise typer.Exit(1 if failed else 0)


def _print(findings: list["Finding"]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=250)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark = Text("ok") if finding.passed else Text("PROBLEM", "bold")
        seen = Text(finding.seen)
        if finding.passed:
            seen.no_wrap, seen.overflow = True, "ellipsis"
        table.add_row(mark, finding.name, seen)
        if not finding.passed:
            table.add_row("", "", Text(f"promised: {finding.promise}."))
            table.add_row("", "", Text(f"again: {finding.again}"))
    with console.capture() as captured:
        console.print(table)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))
