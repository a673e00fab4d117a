"""`zoo-eval scores NAME` and `zoo-eval scores show NAME`."""

from typing import Annotated

import typer

from zoo_eval.cli.options import JsonOption


def show(
    name: Annotated[str, typer.Argument(help="A score.", metavar="NAME")],
    as_json: JsonOption = False,
) -> None:
    """Show the whole definition of one score."""
    import inspect
    import json

    from zoo_eval.cli.scores.facts import facts, score_named

    score = score_named(name)
    known = facts(score)
    if as_json:
        print(json.dumps(known, indent=1, ensure_ascii=False))
        return
    print(f"{name}: a {known['kind']} of {known['group'] or score.__module__}\n")
    for key in ("unit", "better", "needs", "options", "weights", "cost"):
        print(f"{key:8}{known[key] or 'none'}")
    if known["kind"] == "pool score":
        print("\nComputed when a report is made, over the models that have all that it needs.")
    print(f"\n{inspect.getdoc(score)}")
