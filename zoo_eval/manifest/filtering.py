"""Filters a manifest with a DuckDB SQL condition.

DuckDB is imported here and in the store alone, and here only when a filter is used. The
connection sees one table in memory and nothing else: no file, no network, no extension.
"""

from collections.abc import Mapping, Sequence

from zoo_eval.errors import ManifestError
from zoo_eval.manifest.lines import Cell


def models_where(rows: Sequence[Mapping[str, Cell]], condition: str) -> frozenset[str]:
    """Names of the models whose row fulfils a condition such as `params < 30e6`.

    Raises:
        ManifestError: DuckDB does not accept the condition.
    """
    import duckdb
    import pandas as pd

    connection = duckdb.connect()
    try:
        connection.register("manifest", pd.DataFrame(list(rows)).convert_dtypes())
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        # Parentheses and the line break keep a stray comment or OR inside the condition.
        found = connection.execute(f"SELECT model FROM manifest WHERE (\n{condition}\n)")
        return frozenset(str(model) for (model,) in found.fetchall())
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0]
        raise ManifestError(f"The filter {condition!r} is not valid: {reason}") from None
    finally:
        connection.close()
