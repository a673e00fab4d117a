"""Merges another store into one: what both have is stored once, and twice changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from zoo_eval.errors import ArrayError, StoreError
from zoo_eval.store.arrays import ArrayFolder
from zoo_eval.store.connection import connect, quoted
from zoo_eval.store.layout import expected_tables
from zoo_eval.store.rows import ScoreKey
from zoo_eval.store.source import arrays_of, opened_source
from zoo_eval.store.store import Store

Value = float | str  # a value, or why there is none


@dataclass(frozen=True)
class Conflict:
    """A score that both files have, with different values."""

    key: ScoreKey
    kept: Value
    other: Value


@dataclass(frozen=True)
class Merged:
    """What an import did.

    Attributes:
        added: Rows that were not there before, by table.
        n_known: Scores that were there already, with the same value.
        conflicts: Scores that were there with another value, which was kept.
        lost: Why some kept arrays were left out.
    """

    added: Mapping[str, int]
    n_known: int
    conflicts: tuple[Conflict, ...]
    lost: tuple[str, ...]


def merge(
    store: Store,
    source: str | Path,
    *,
    arrays: ArrayFolder | None = None,
    arrays_from: ArrayFolder | None = None,
) -> Merged:
    """Import all that another store has: all of it or nothing.

    A score with the same key is stored once; if its value differs, the one that is here stays. Of
    models and accuracies those of the file with the later run count, of measurements the newer.

    Args:
        store: To import into; made if it does not exist.
        source: Another result file, or a folder that `zoo-eval export parquet` wrote.
        arrays: Where the store keeps arrays, if not beside it.
        arrays_from: Where the source keeps them, if not beside it.

    Raises:
        StoreError: the source cannot be imported, or the store not be written.
    """
    source = Path(source)
    arrays, arrays_from = arrays or store.arrays, arrays_from or arrays_of(source)
    with opened_source(source, store.path, store.patience_s) as other:
        # Files first and outside the transaction, which nobody could write beside.
        copied, lost = _copy_arrays(store, other, arrays, arrays_from)
        try:
            with connect(store.path, read_only=False, patience_s=store.patience_s) as connection:
                connection.execute(f"ATTACH {quoted(other.path)} AS other (READ_ONLY)")
                connection.execute("BEGIN")
                _require_same_datasets(connection, source)
                n_known, conflicts = _compare_scores(connection)
                before = _counts(connection)
                _insert(connection, copied)
                after = _counts(connection)
                connection.execute("COMMIT")
        except BaseException:
            arrays.drop(copied)
            raise
    added = {table: after[table] - before[table] for table in after}
    return Merged(added, n_known, conflicts, tuple(lost))


def _copy_arrays(
    store: Store, other: Store, to: ArrayFolder, where: ArrayFolder
) -> tuple[list[str], list[str]]:
    """Names of the files that were copied, and why others were not."""
    here = {row.file for row in store.kept_arrays()}
    copied: list[str] = []
    lost: list[str] = []
    for row in other.kept_arrays():
        if row.file in here:
            continue
        try:
            content = where.content(row)
        except ArrayError as error:
            lost.append(str(error))
            continue
        to.put(row, content)
        copied.append(row.file)
    return copied, lost


def _require_same_datasets(connection: duckdb.DuckDBPyConnection, source: Path) -> None:
    """Names of datasets end with the start of a digest only."""
    names = connection.execute(
        "SELECT o.dataset FROM other.datasets o JOIN datasets d USING (dataset) "
        "WHERE o.digest <> d.digest ORDER BY ALL"
    ).fetchall()
    if names:
        raise StoreError(
            f"{source} calls another dataset {names[0][0]}; they cannot be told apart."
        )


def _compare_scores(connection: duckdb.DuckDBPyConnection) -> tuple[int, tuple[Conflict, ...]]:
    """How many scores both have with the same value, and those with different values."""
    key = expected_tables()["scores"].key
    both = f"FROM scores s JOIN other.scores o USING ({', '.join(key)})"
    [(n_both,)] = connection.execute(f"SELECT count(*) {both}").fetchall()
    rows = connection.execute(
        f"SELECT {', '.join(key)}, s.value, s.undefined_because, o.value, o.undefined_because "
        f"{both} WHERE s.value IS DISTINCT FROM o.value "
        "OR s.undefined_because IS DISTINCT FROM o.undefined_because ORDER BY ALL"
    ).fetchall()
    n = len(key)
    conflicts = tuple(
        Conflict(
            ScoreKey(**dict(zip(key, row[:n], strict=True))),
            row[n] if row[n + 1] is None else row[n + 1],
            row[n + 2] if row[n + 3] is None else row[n + 3],
        )
        for row in rows
    )
    return n_both - len(conflicts), conflicts


def _insert(connection: duckdb.DuckDBPyConnection, copied: list[str]) -> None:
    [(later,)] = connection.execute(
        "SELECT coalesce((SELECT max(started) FROM other.runs) > (SELECT max(started) FROM runs), "
        "FALSE)"
    ).fetchall()
    for table in ("models", "accuracies"):
        conflict = "OR REPLACE" if later else "OR IGNORE"
        connection.execute(f"INSERT {conflict} INTO {table} BY NAME FROM other.{table}")
    for table in ("datasets", "scores", "runs"):
        connection.execute(f"INSERT OR IGNORE INTO {table} BY NAME FROM other.{table}")
    # A run that was imported while it was going may have ended since.
    connection.execute(
        "UPDATE runs SET ended = o.ended, state = o.state FROM other.runs o "
        "WHERE runs.run = o.run AND runs.ended IS NULL AND o.ended IS NOT NULL"
    )
    connection.execute(
        "INSERT INTO attempts BY NAME SELECT o.* FROM other.attempts o "
        "ANTI JOIN attempts USING (run, model, weights, seed, started) ORDER BY o.rowid"
    )
    for table in ("trust", "calibrations"):
        key = ", ".join(expected_tables()[table].key)
        connection.execute(
            f"INSERT OR REPLACE INTO {table} BY NAME SELECT o.* FROM other.{table} o "
            f"LEFT JOIN {table} t USING ({key}) WHERE t.stored IS NULL OR o.stored > t.stored"
        )
    connection.execute(
        "INSERT OR IGNORE INTO embeddings BY NAME FROM other.embeddings WHERE file IN ?", [copied]
    )


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of each table."""
    tables = sorted(expected_tables().keys() - {"meta"})
    query = " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables)
    return dict(connection.execute(query).fetchall())
