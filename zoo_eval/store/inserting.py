"""How rows get into a table, and when."""

from collections.abc import Sequence
from datetime import UTC, datetime

import duckdb
import pyarrow


def insert(
    connection: duckdb.DuckDBPyConnection,
    conflict: str,
    table: str,
    rows: Sequence[Sequence[object]],
) -> None:
    """Insert rows; nothing happens if there are none.

    Args:
        connection: The connection.
        conflict: What to do with a row whose key is there: OR REPLACE, OR IGNORE, or fail.
        table: The table.
        rows: Tuples of all its columns, in order.
    """
    if not rows:
        return
    # One statement over an Arrow table: row by row would take DuckDB milliseconds each.
    columns = {f"c{i}": list(column) for i, column in enumerate(zip(*rows, strict=True))}
    connection.register("incoming", pyarrow.table(columns))
    connection.execute(f"INSERT {conflict} INTO {table} SELECT * FROM incoming")
    connection.unregister("incoming")


def marks(row: Sequence[object]) -> str:
    """The place of each value in a statement."""
    return ", ".join("?" * len(row))


def after_all(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, now: datetime
) -> datetime:
    """Now, or just after the newest row: what is stored later is newer, whatever the clock says."""
    query = f"SELECT greatest(?, max({column}) + INTERVAL 1 MICROSECOND) FROM {table}"
    [(time,)] = connection.execute(query, [now]).fetchall()
    return time


def now() -> datetime:
    """The time in UTC, as the tables have it."""
    return datetime.now(UTC).replace(tzinfo=None)
