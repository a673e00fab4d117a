"""`zoo-eval export csv|parquet`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from zoo_eval.cli.options import DEFAULT_STORE, StoreOption

TABLES = ("scores", "models", "accuracies", "datasets", "runs", "attempts", "trust", "leaderboard")


class Format(StrEnum):
    """File formats of an export."""

    CSV = "csv"
    PARQUET = "parquet"


def export(
    to: Annotated[Format, typer.Argument(help="File format.")],
    store: StoreOption = DEFAULT_STORE,
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")] = Path("export"),
) -> None:
    """Write all tables as CSV or Parquet."""
    from zoo_eval.errors import ReportError
    from zoo_eval.store import Store

    results = Store(store)
    frames = {table: getattr(results, table)() for table in TABLES}
    try:
        out.mkdir(parents=True, exist_ok=True)
        for table, frame in frames.items():
            path = out / f"{table}.{to}"
            if to is Format.CSV:
                frame.to_csv(path, index=False, lineterminator="\n")
            else:
                frame.to_parquet(path, index=False)
            print(f"{path}: {len(frame):,} rows")
    except OSError as error:
        raise ReportError(f"The tables cannot be written to {out}: {error}") from error
