"""The command line: `zoo-eval`.

Each command lives in a file of its own and imports what it needs when it is called, so that
`zoo-eval --help` stays quick.
"""

import sys

import typer

from zoo_eval.cli.doctor import doctor
from zoo_eval.cli.export import export
from zoo_eval.cli.fetch import fetch
from zoo_eval.cli.import_ import import_
from zoo_eval.cli.manifest import manifest_app
from zoo_eval.cli.rank import rank
from zoo_eval.cli.report import report
from zoo_eval.cli.retry import retry
from zoo_eval.cli.run import run
from zoo_eval.cli.scores import scores_app
from zoo_eval.cli.serve import serve
from zoo_eval.cli.status import status
from zoo_eval.errors import ZooEvalError

app = typer.Typer(
    name="zoo-eval",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "Which pretrained network should I use, and which cheap score would have told me?\n\n"
        "Begin with `zoo-eval run quickstart`, then `zoo-eval report`."
    ),
)
for command in (rank, run, retry, fetch, status, report, serve, export, doctor):
    app.command()(command)
app.command("import")(import_)
app.add_typer(scores_app, name="scores")
app.add_typer(manifest_app, name="manifest")


def main() -> None:
    """Run the command line. An expected failure is one line on stderr and exit code 2."""
    try:
        app(prog_name="zoo-eval")
    except ZooEvalError as error:
        print(f"zoo-eval: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("zoo-eval: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stderr.close()
        sys.exit(0)
