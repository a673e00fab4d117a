"""Options that several commands share, so that they mean and read the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[Path, typer.Option("--store", help="The result file (DuckDB).")]
LimitOption = Annotated[
    int | None, typer.Option("--limit", min=1, help="Only the first N models of the manifest.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]
ArraysOption = Annotated[
    str | None,
    typer.Option(
        "--arrays", metavar="URL", help="Where its arrays are kept; default: beside the store."
    ),
]

DEFAULT_STORE = Path("results.duckdb")
