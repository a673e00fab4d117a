"""Writes a store's tables to files that others can read, and reads its own Parquet files back."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from zoo_eval.errors import ReportError, StoreError
from zoo_eval.store import layout
from zoo_eval.store.arrays import ArrayFolder
from zoo_eval.store.connection import SCHEMA_VERSION, connect, quoted
from zoo_eval.store.store import Store

# For those who read the files: the first has the newest rows of `scores` only.
_VIEWS = ("latest_scores", "leaderboard")
_FORMATS = {"csv": "(FORMAT csv, HEADER)", "parquet": "(FORMAT parquet, COMPRESSION zstd)"}


def write_tables(store: Store, folder: Path, kind: str) -> Iterator[tuple[Path, int]]:
    """Write every table and view to a file of its own.

    Args:
        store: The store.
        folder: Where to write; made if it does not exist.
        kind: `csv`, or `parquet`, which `zoo-eval import` reads back.

    Yields:
        Each file, with the number of its rows.

    Raises:
        ReportError: the folder cannot be written.
        StoreError: the store cannot be read.
    """
    try:
        with connect(store.path, read_only=True, patience_s=store.patience_s) as connection:
            folder.mkdir(parents=True, exist_ok=True)
            for table in (*layout.expected_tables(), *_VIEWS):
                path = folder / f"{table}.{kind}"
                try:
                    [(n,)] = connection.execute(
                        f"COPY (FROM {table}) TO {quoted(path)} {_FORMATS[kind]}"
                    ).fetchall()
                except duckdb.Error as error:
                    raise OSError(str(error).partition("\n")[0]) from error
                yield path, n
    except OSError as error:
        raise ReportError(f"The tables cannot be written to {folder}: {error}") from error


def write_arrays(store: Store, arrays: ArrayFolder, folder: Path) -> Iterator[str]:
    """Copy the kept arrays, each of them verified.

    Yields:
        The name of each file.

    Raises:
        ArrayError: one is missing or damaged, or the folder cannot be written.
    """
    to = ArrayFolder(str(folder))
    for row in store.kept_arrays():
        to.put(row, arrays.content(row))
        yield row.file


def read_tables(folder: Path, into: Path) -> None:
    """Make a result file of a folder of Parquet files.

    Raises:
        StoreError: the folder is no such export, or one of a newer zoo_eval.
    """
    _require_ours(folder)
    with connect(into, read_only=False, patience_s=0.0) as connection:
        for table in layout.expected_tables().keys() - {"meta"}:
            path = folder / f"{table}.parquet"
            if not path.exists():  # an older zoo_eval did not have it
                continue
            try:
                connection.execute(f"INSERT INTO {table} BY NAME FROM read_parquet({quoted(path)})")
            except duckdb.Error as error:
                reason = str(error).partition("\n")[0]
                raise StoreError(f"{path} is not what zoo_eval exports: {reason}") from error


def _require_ours(folder: Path) -> None:
    path = folder / "meta.parquet"
    what = "`zoo-eval export parquet` writes one."
    if not path.exists():
        raise StoreError(
            f"{folder} is no Parquet export of zoo_eval: it has no {path.name}. {what}"
        )
    try:
        with duckdb.connect() as connection:
            query = f"SELECT max(schema_version) FROM read_parquet({quoted(path)})"
            [(version,)] = connection.execute(query).fetchall()
        seen = int(version)
    except (duckdb.Error, TypeError, ValueError) as error:
        raise StoreError(f"{path} does not say which schema it has. {what}") from error
    if seen > SCHEMA_VERSION:
        raise StoreError(
            f"{folder} was written by a newer zoo_eval (schema {seen}); this one knows schema "
            f"{SCHEMA_VERSION}. Update zoo_eval."
        )
