"""`zoo-eval doctor`."""

from typing import Annotated

import typer

from zoo_eval.cli.options import LimitOption


def doctor(
    models: Annotated[
        bool,
        typer.Option("--models", help="Build every architecture and read embeddings from it."),
    ] = False,
    limit: LimitOption = None,
) -> None:
    """Check this installation.

    With --models: that every architecture of timm builds and gives embeddings.
    """
    from zoo_eval.diagnosis import check_architectures, check_installation

    if not models:
        problems = 0
        for check in check_installation():
            problems += not check.good
            print(f"{'ok' if check.good else 'PROBLEM':8}{check.name}: {check.finding}")
        raise typer.Exit(1 if problems else 0)
    bad = total = 0
    for result in check_architectures(limit):
        total += 1
        bad += result.reason is not None
        if result.reason is not None:
            print(f"{result.architecture}: {result.reason}", flush=True)
    print(f"{total - bad} of {total} architectures build and give embeddings.")
    raise typer.Exit(1 if bad else 0)
