"""Opens the DuckDB file for a moment, and turns what can go wrong into one-line errors.

DuckDB lets one process write *or* many read, and an open writer shuts every reader out.
So nobody holds the file: each call opens it, does its work and closes it, and waits while
another process has it.
"""

import errno
import random
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import duckdb

from zoo_eval.errors import StoreError

SCHEMA_VERSION = 4


@contextmanager
def connect(
    path: Path, *, read_only: bool, patience_s: float
) -> Generator[duckdb.DuckDBPyConnection]:
    """A connection to an existing or, for writing, new result file.

    Args:
        path: The file.
        read_only: Whether other readers may have it open at the same time.
        patience_s: How long to wait for another process that has the file.

    Raises:
        StoreError: see `_explain`.
    """
    connection = _open(path, read_only, patience_s)
    try:
        # Empty is also what a run leaves that was killed while it made the file.
        seen = _version(connection, path, new_is_fine=True)
        if seen < SCHEMA_VERSION:
            if read_only:
                connection.close()
                with connect(path, read_only=False, patience_s=patience_s):
                    pass  # that opening it for writing brings it up to date is all we want
                connection = _open(path, read_only, patience_s)
            else:
                _bring_up_to_date(connection, seen)
        yield connection
    except duckdb.Error as error:
        raise _explain(path, error) from error
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # what DuckDB makes of KeyboardInterrupt
            raise KeyboardInterrupt from error
        raise
    finally:
        connection.close()


@contextmanager
def open_as_it_is(
    path: Path, *, patience_s: float
) -> Generator[tuple[duckdb.DuckDBPyConnection, int]]:
    """A connection for reading to a file that is not brought up to date, and its schema version.

    Raises:
        StoreError: see `connect`.
    """
    connection = _open(path, True, patience_s)
    try:
        yield connection, _version(connection, path, new_is_fine=False)
    except duckdb.Error as error:
        raise _explain(path, error) from error
    finally:
        connection.close()


def _open(path: Path, read_only: bool, patience_s: float) -> duckdb.DuckDBPyConnection:
    if read_only and not path.exists():
        raise StoreError(
            f"There is no result file {path}. `zoo-eval run JOB --store {path}` makes one."
        )
    if not read_only:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error}") from error
    give_up_at = time.monotonic() + patience_s
    repeated = False
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.Error as error:
            if "core_functions" in str(error) and not repeated:
                repeated = True
                _repeat_log(path)
                continue
            locked = "Could not set lock" in str(error)
            if not locked or time.monotonic() > give_up_at:
                raise _explain(path, error) from error
            # Readers that wait for the same writer should not all come back at once.
            time.sleep(random.uniform(0.01, 0.05))


def _repeat_log(path: Path) -> None:
    """Bring into the file what was committed, where opening it cannot.

    Who is killed just after bringing an older file up to date leaves the new columns in the log
    beside it. DuckDB 2.0 repeats the log of the file it opens before it knows its own functions,
    which our tables' checks name; that of a file it attaches, after.
    """
    with duckdb.connect() as connection:
        try:
            connection.execute(f"ATTACH {quoted(path)} AS store")
            connection.execute("CHECKPOINT store")
            connection.execute("DETACH store")
        except duckdb.Error as error:
            raise _explain(path, error) from error


def quoted(path: Path) -> str:
    """A path as a text in SQL."""
    return "'" + str(path).replace("'", "''") + "'"


def _version(connection: duckdb.DuckDBPyConnection, path: Path, *, new_is_fine: bool) -> int:
    """Schema version of an open file; 0 if it is new and empty.

    Raises:
        StoreError: the file is no result file, or a newer zoo_eval wrote it.
    """
    tables = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
    if "meta" not in tables:
        if tables or not new_is_fine:
            raise StoreError(
                f"{path} is a DuckDB file, but not one of zoo_eval's: it has no table 'meta'. "
                "Name another file."
            )
        return 0
    [(seen,)] = connection.execute("SELECT max(schema_version) FROM meta").fetchall()
    if seen is None:
        raise StoreError(f"{path} does not say which schema it has. Name another file.")
    if seen > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by a newer zoo_eval (schema {seen}); this one knows schema "
            f"{SCHEMA_VERSION}. Update zoo_eval, or name another file."
        )
    return seen


def _bring_up_to_date(connection: duckdb.DuckDBPyConnection, seen: int) -> None:
    """Make the tables of a new file, or change those of an older one; all of it or nothing."""
    connection.execute("BEGIN")
    if seen:
        for version in range(seen + 1, SCHEMA_VERSION + 1):
            connection.execute(sql_file(f"migrations/{version}.sql"))
        connection.execute("UPDATE meta SET schema_version = ?", [SCHEMA_VERSION])
    else:
        connection.execute(sql_file("schema.sql"))
    connection.execute(sql_file("views.sql"))
    connection.execute("COMMIT")


def sql_file(name: str) -> str:
    """Text of one of the package's SQL files."""
    return files("zoo_eval.store").joinpath(name).read_text(encoding="utf-8")


def _explain(path: Path, error: duckdb.Error) -> StoreError:
    text = str(error)
    first_line = text.partition("\n")[0]
    if "Could not set lock" in text:
        return StoreError(f"{path} is in use by another process and stayed so. ({first_line})")
    if "not a valid DuckDB database" in text:
        return StoreError(f"{path} exists, but is not a DuckDB file. Name another file.")
    if "newer version of DuckDB" in text or "storage version" in text.lower():
        return StoreError(f"{path} was written by a newer DuckDB: {first_line}")
    number = getattr(error, "errno", None)
    if number == errno.ENOSPC or "No space left" in text:
        return StoreError(f"{path}: no space is left on the disk; what was stored before is safe.")
    refusals = ("Permission denied", "Operation not permitted", "Read-only file system")
    if any(refusal in text for refusal in refusals):
        return StoreError(f"{path} cannot be written: {first_line}")
    return StoreError(f"{path}: {first_line}")
