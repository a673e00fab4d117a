"""`zoo-eval scores`."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from zoo_eval.cli.options import JsonOption

if TYPE_CHECKING:
    from zoo_eval.scores import Score


def scores(
    name: Annotated[str | None, typer.Argument(help="Show this score's whole definition.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the scores, or define one."""
    import inspect

    from zoo_eval.errors import InputError
    from zoo_eval.scores import SCORES

    if name is not None:
        if name not in SCORES:
            raise InputError(f"There is no score {name!r}; `zoo-eval scores` lists them.")
        print(f"{name}\n\n{inspect.getdoc(SCORES[name].function)}")
        return
    ordered = sorted(SCORES.values(), key=lambda score: (score.group, score.name))
    if as_json:
        print(json.dumps([_facts(score) for score in ordered], indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    columns = ("unit", "better", "needs", "weights", "cost", "paper")
    for column in ("score", *columns):
        table.add_column(column, overflow="fold", no_wrap=column == "score")
    for score in ordered:
        facts = _facts(score)
        table.add_row(score.name, *(facts[column] for column in columns))
    console = Console()
    # On a pipe there is no width to keep to; whole lines are easier to search.
    console = console if console.is_terminal else Console(width=250)
    console.print(table)
    console.print(f"\n{len(ordered)} scores. `zoo-eval scores NAME` shows a definition.")


def _facts(score: "Score") -> dict[str, str]:
    better = {True: "higher", False: "lower", None: "not claimed"}[score.higher_is_better]
    return {
        "name": score.name,
        "group": score.group,
        "summary": score.summary,
        "unit": score.unit,
        "better": better,
        "needs": ", ".join(score.needs),
        "options": ", ".join(f"{key}={value!r}" for key, value in score.options.items()),
        "weights": ", ".join(score.weights) if score.weights else "any",
        "cost": score.cost,
        "paper": score.paper,
    }
