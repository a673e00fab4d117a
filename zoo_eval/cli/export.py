"""`zoo-eval export csv|parquet`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from zoo_eval.cli.options import DEFAULT_STORE, ArraysOption, StoreOption


class Format(StrEnum):
    """File formats of an export."""

    CSV = "csv"
    PARQUET = "parquet"


def export(
    to: Annotated[Format, typer.Argument(help="File format.")],
    store: StoreOption = DEFAULT_STORE,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("export"),
    with_arrays: Annotated[
        bool, typer.Option("--with-arrays", help="Copy the kept arrays too.")
    ] = False,
    arrays: ArraysOption = None,
) -> None:
    """Write all tables as CSV or Parquet; `zoo-eval import` reads the latter."""
    from zoo_eval.store import ArrayFolder, Store
    from zoo_eval.store.exported import write_arrays, write_tables

    results = Store(store)
    for path, n_rows in write_tables(results, out, to.value):
        print(f"{path}: {n_rows:,} rows")
    if with_arrays:
        folder = ArrayFolder(arrays) if arrays else results.arrays
        n_files = sum(1 for _ in write_arrays(results, folder, out / "arrays"))
        print(f"{out / 'arrays'}: {n_files:,} files")
