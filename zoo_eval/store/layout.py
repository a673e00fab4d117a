"""Which tables, columns and keys a result file must have, and which it has."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import duckdb

from zoo_eval.store.connection import sql_file


class Table(NamedTuple):
    """One table: columns and their types in order, and its primary key."""

    columns: Mapping[str, str]
    key: tuple[str, ...]


Tables = Mapping[str, Table]


@cache
def expected_tables() -> Tables:
    """The tables of a new result file."""
    with duckdb.connect() as fresh:
        fresh.execute(sql_file("schema.sql"))
        return seen_tables(fresh)


def seen_tables(connection: duckdb.DuckDBPyConnection, database: str | None = None) -> Tables:
    """The tables of an open file; views are none, whatever their names.

    Args:
        connection: The connection.
        database: Name of an attached file; by default the connection's own.
    """
    columns = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "SEMI JOIN duckdb_tables() USING (database_name, schema_name, table_name) "
        "WHERE database_name = coalesce(?, current_database()) AND schema_name = 'main' "
        "ORDER BY table_name, column_index",
        [database],
    ).fetchall()
    keys = connection.execute(
        "SELECT table_name, constraint_column_names FROM duckdb_constraints() "
        "WHERE database_name = coalesce(?, current_database()) AND schema_name = 'main' "
        "AND constraint_type = 'PRIMARY KEY'",
        [database],
    ).fetchall()
    key_of = {table: tuple(names) for table, names in keys}
    kinds: dict[str, dict[str, str]] = {}
    for table, column, kind in columns:
        kinds.setdefault(table, {})[column] = kind
    return {table: Table(found, key_of.get(table, ())) for table, found in kinds.items()}


def lacks(seen: Tables) -> list[str]:
    """Tables and columns that are not there, in words: without them nothing can be asked."""
    found: list[str] = []
    for name, table in expected_tables().items():
        if name not in seen:
            found.append(f"no table {name}")
        else:
            missing = table.columns.keys() - seen[name].columns.keys()
            found += [f"no column {name}.{column}" for column in sorted(missing)]
    return found


def differs(seen: Tables) -> list[str]:
    """Columns of another type and keys that are lost, in words."""
    found: list[str] = []
    for name, table in expected_tables().items():
        if name not in seen:
            continue
        for column, kind in table.columns.items():
            other = seen[name].columns.get(column, kind)
            if other != kind:
                found.append(f"{name}.{column} is {other}, not {kind}")
        if seen[name].key != table.key:
            found.append(f"{name} has no primary key ({', '.join(table.key)})")
    return found
