"""`zoo-eval scores`, `zoo-eval scores NAME`, `zoo-eval scores new` and `zoo-eval scores check`."""

from typing import Any

import typer
from typer.core import TyperGroup

from zoo_eval.cli.scores.check import check
from zoo_eval.cli.scores.listing import list_scores
from zoo_eval.cli.scores.new import new
from zoo_eval.cli.scores.show import show


class _ScoresGroup(TyperGroup):
    """Without a command it lists; a word that is no command is the name of a score."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  # click's own
        if all(arg == "--json" for arg in args):
            args = ["list", *args]
        elif args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


scores_app = typer.Typer(
    cls=_ScoresGroup,
    rich_markup_mode=None,
    subcommand_metavar="[NAME | COMMAND ...]",
    short_help="List the scores, define one, write or check your own.",
    help=(
        "List the scores, define one, write or check your own.\n\n"
        "`zoo-eval scores` alone lists them; `zoo-eval scores NAME` defines one."
    ),
)
scores_app.command("list")(list_scores)
for command in (show, new, check):
    scores_app.command()(command)
