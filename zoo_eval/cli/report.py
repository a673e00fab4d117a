"""`zoo-eval report`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from zoo_eval.cli.options import DEFAULT_STORE, ArraysOption, StoreOption


def report(
    store: StoreOption = DEFAULT_STORE,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("report"),
    truth: Annotated[
        str | None,
        typer.Option(help="Accuracy to judge by, such as imagenet_top1; default: the commonest."),
    ] = None,
    pages: Annotated[
        int,
        typer.Option(
            min=0, help="Models and scores, the best first, that get a page of their own: so many."
        ),
    ] = 100,
    predict: Annotated[
        bool,
        typer.Option(
            help="Predict the accuracy from all scores together: about as long as the rest."
        ),
    ] = True,
    arrays: ArraysOption = None,
) -> None:
    """Correlate scores with accuracy.

    Writes a site of pages, one page to be mailed, Markdown, CSV and figures (PNG, SVG) into a
    folder.
    """
    from zoo_eval.report import collect, write_report
    from zoo_eval.report.ensembling import ensembles
    from zoo_eval.side_processes import side_processes
    from zoo_eval.store import ArrayFolder, Store

    command = shlex.join(["zoo-eval", *sys.argv[1:]])
    results = Store(store)
    needed = ["zoo_eval.report", "zoo_eval.report.figures"]
    needed += ["zoo_eval.correlation.predictor"] if predict else []
    # Drawing alone takes one process about as long as this one writes tables.
    with side_processes(needed, at_most=None if predict or pages else 1) as beside:
        folder = ArrayFolder(arrays) if arrays else results.arrays
        data = collect(results)
        files = write_report(
            *(data, out, truth, command, pages),
            predict=predict,
            together=ensembles(results, folder, data, truth),
            beside=beside,
        )
    print(f"Report: {files.index}")
