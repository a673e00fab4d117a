"""Options that several commands share, so that they mean and read the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

StoreOption = Annotated[Path, typer.Option("--store", help="The result file (DuckDB).")]
LimitOption = Annotated[
    int | None, typer.Option("--limit", min=1, help="Only the first N models of the manifest.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]
WeightsBudgetOption = Annotated[
    str | None,
    typer.Option(
        "--weights-budget",
        metavar="SIZE",
        help="Room for downloaded weights, such as 20GB; the least recently used are evicted.",
    ),
]

DEFAULT_STORE = Path("results.duckdb")
