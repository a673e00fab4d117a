"""`zoo-eval import OTHER`."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zoo_eval.cli.options import DEFAULT_STORE, ArraysOption, JsonOption, StoreOption

if TYPE_CHECKING:
    from zoo_eval.store.merge import Merged

EXIT_CONFLICTS = 3
_N_SHOWN = 20


def import_(
    other: Annotated[
        Path,
        typer.Argument(help="A result file, or a folder that `zoo-eval export parquet` wrote."),
    ],
    store: StoreOption = DEFAULT_STORE,
    arrays: ArraysOption = None,
    arrays_from: Annotated[
        str | None,
        typer.Option("--arrays-from", metavar="URL", help="Where the arrays of OTHER are kept."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Merge the results of another file into this one.

    What both have is stored once. Exit code 3: for some scores they have different values; those
    that were here are kept.
    """
    from zoo_eval.store import ArrayFolder, Store
    from zoo_eval.store.merge import merge

    merged = merge(
        Store(store),
        other,
        arrays=ArrayFolder(arrays) if arrays else None,
        arrays_from=ArrayFolder(arrays_from) if arrays_from else None,
    )
    if as_json:
        print(json.dumps(dataclasses.asdict(merged)))
    else:
        _say(merged, store)
    if merged.conflicts:
        raise typer.Exit(EXIT_CONFLICTS)


def _say(merged: "Merged", store: Path) -> None:
    added = ", ".join(f"{n:,} {table}" for table, n in merged.added.items() if n) or "nothing"
    print(f"New in {store}: {added}. {merged.n_known:,} scores were there already.")
    if merged.lost:
        print(f"{len(merged.lost)} kept arrays were left out, for example: {merged.lost[0]}")
    if merged.conflicts:
        print(f"{len(merged.conflicts):,} scores have another value there; what is here was kept:")
    for conflict in merged.conflicts[:_N_SHOWN]:
        key = conflict.key
        print(
            f"  {key.model} ({key.weights}, seed {key.seed}) {key.score} {key.options} on "
            f"{key.dataset}: {conflict.kept!r} here, {conflict.other!r} there"
        )
    if len(merged.conflicts) > _N_SHOWN:
        print(f"  … and {len(merged.conflicts) - _N_SHOWN:,} more; --json lists them all")
