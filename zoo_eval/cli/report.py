"""`zoo-eval report`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from zoo_eval.cli.options import DEFAULT_STORE, StoreOption


def report(
    store: StoreOption = DEFAULT_STORE,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("report"),
    truth: Annotated[
        str | None,
        typer.Option(help="Accuracy to judge by, such as imagenet_top1; default: the commonest."),
    ] = None,
) -> None:
    """Correlate scores with accuracy.

    Writes a page (HTML), Markdown, CSV and figures (PNG) into a folder.
    """
    from zoo_eval.report import collect, write_report
    from zoo_eval.store import Store

    command = shlex.join(["zoo-eval", *sys.argv[1:]])
    files = write_report(collect(Store(store)), out, truth=truth, command=command)
    print(f"Report: {files.html}")
