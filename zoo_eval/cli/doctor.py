"""`zoo-eval doctor`."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo_eval.cli.options import ArraysOption, JsonOption, LimitOption
from zoo_eval.errors import StoreError

if TYPE_CHECKING:
    from zoo_eval.finding import Finding


def doctor(
    models: Annotated[
        bool,
        typer.Option("--models", help="Build every architecture and read embeddings from it."),
    ] = False,
    limit: LimitOption = None,
    store: Annotated[
        Path | None, typer.Option("--store", help="Check this result file and its kept arrays.")
    ] = None,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="Repair it as far as possible; not while a run is going."),
    ] = False,
    arrays: ArraysOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check this installation, or with --store a result file.

    With --models: that every architecture of timm builds and gives embeddings. Exit code 1: there
    are problems left.
    """
    if store is None and (fix or arrays):
        raise StoreError("--fix and --arrays are about a result file: name it with --store.")
    if store is not None:
        from zoo_eval.store import ArrayFolder, Store
        from zoo_eval.store.check import check_store

        results = Store(store)
        folder = ArrayFolder(arrays) if arrays else results.arrays
        raise typer.Exit(_say(check_store(results, folder, fix=fix), as_json))
    from zoo_eval.diagnosis import check_architectures, check_installation

    if not models:
        raise typer.Exit(_say(check_installation(), as_json))
    bad = total = 0
    for result in check_architectures(limit):
        total += 1
        bad += result.reason is not None
        if result.reason is not None:
            print(f"{result.architecture}: {result.reason}", flush=True)
    print(f"{total - bad} of {total} architectures build and give embeddings.")
    raise typer.Exit(1 if bad else 0)


def _say(findings: "Iterable[Finding]", as_json: bool) -> int:
    """Print them as they come; the exit code."""
    shown: list[Finding] = []
    for each in findings:
        shown.append(each)
        if not as_json:
            print(f"{'ok' if each.good else 'PROBLEM':8}{each.name}: {each.text}", flush=True)
    if as_json:
        print(json.dumps([dataclasses.asdict(each) for each in shown]))
    return 0 if all(each.good for each in shown) else 1
