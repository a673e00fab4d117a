"""Checks a store: its tables, what their rows say of each other, its runs and kept arrays.

DuckDB keeps each transaction whole and repeats what was committed but is not in the file yet; so
what a killed run leaves is never half a model. Looked for here is the rest: disks that change
bits, people who change rows, and what runs that were killed left behind.
"""

from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta

import duckdb

from zoo_eval.errors import StoreError
from zoo_eval.finding import Finding
from zoo_eval.store import layout
from zoo_eval.store.arrays import ArrayFolder
from zoo_eval.store.check_arrays import check_arrays
from zoo_eval.store.connection import SCHEMA_VERSION, connect, sql_file
from zoo_eval.store.rules import RULES
from zoo_eval.store.store import Store

# A run that was the last to begin, and did something in this time, may well be going on.
_SIGN_OF_LIFE = timedelta(hours=1)


def check_store(store: Store, arrays: ArrayFolder, *, fix: bool = False) -> Iterator[Finding]:
    """Findings in a fixed order.

    Args:
        store: The store.
        arrays: Where its kept arrays are.
        fix: Whether to make lost views again, to note runs that were killed as interrupted, and
            what `check_arrays` says.

    Raises:
        StoreError: there is no such file.
    """
    if not store.path.exists():
        raise StoreError(f"There is no result file {store.path}.")
    try:
        with connect(store.path, read_only=True, patience_s=store.patience_s) as connection:
            yield Finding("file", True, f"{store.path} opens, schema {SCHEMA_VERSION}")
            usable = yield from _tables(connection)
            if not usable:
                return
            for rule in RULES:
                broken = rule.broken(connection)
                text = f"{'; '.join(broken)}. {rule.advice}" if broken else rule.holds
                yield Finding(rule.name, not broken, text)
            hidden, killed = _hidden(connection), _killed(connection)
        yield _indexes(store)
        yield _views(store, hidden, fix)
        yield _runs(store, killed, fix)
        yield from check_arrays(store, arrays, fix=fix)
    except StoreError as error:
        advice = "Go back to a copy of it."
        if "WAL file" in str(error):
            advice = f"Moved aside, {store.path}.wal takes only the last results with it."
        yield Finding("file", False, f"{error} {advice}")


def _tables(connection: duckdb.DuckDBPyConnection) -> Generator[Finding, None, bool]:
    """Layout, and whether every cell can be read; returns whether more can be asked."""
    seen = layout.seen_tables(connection)
    lacking = layout.lacks(seen)
    wrong = lacking + layout.differs(seen)
    advice = "`zoo-eval import` of this file into a new one makes it right again."
    if lacking:
        advice = "Go back to a copy."
    text = f"{'; '.join(wrong)}. {advice}" if wrong else f"{len(seen)} tables as they should be"
    yield Finding("layout", not wrong, text)
    counts: list[str] = []
    for table in sorted(seen.keys() & layout.expected_tables().keys() - {"meta"}):
        try:
            # Reads every cell: DuckDB compares each block with its checksum.
            [(n, _)] = connection.execute(
                f"SELECT count(*), max(hash(each)) FROM {table} AS each"
            ).fetchall()
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0]
            yield Finding("tables", False, f"{table} cannot be read: {reason}. Go back to a copy.")
            return False
        counts.append(f"{n:,} {table}")
    yield Finding("tables", True, ", ".join(counts))
    return not lacking


def _indexes(store: Store) -> Finding:
    """Indexes of keys lie in blocks of their own, which only writing reads: so a trial of that."""
    try:
        with connect(store.path, read_only=False, patience_s=store.patience_s) as connection:
            connection.execute("BEGIN")
            for name, table in layout.expected_tables().items():
                if table.key:
                    connection.execute(f"INSERT OR IGNORE INTO {name} BY NAME FROM {name}")
            connection.execute("ROLLBACK")
    except StoreError as error:
        advice = "If it is damaged, `zoo-eval import` of this file into a new one mends it."
        return Finding("indexes", False, f"{error} {advice}")
    return Finding("indexes", True, "each row is found by its key; the file can be written")


def _hidden(connection: duckdb.DuckDBPyConnection) -> str:
    """What the views do not show as they should, in words."""
    settings = "SELECT DISTINCT model, weights, seed, dataset, score, options FROM scores"
    [(wanted,)] = connection.execute(f"SELECT count(*) FROM ({settings})").fetchall()
    try:
        [(seen,)] = connection.execute("SELECT count(*) FROM latest_scores").fetchall()
        for view in ("leaderboard", "failures"):
            connection.execute(f"FROM {view} LIMIT 0")
    except duckdb.Error as error:
        return str(error).partition("\n")[0]
    return "" if seen == wanted else f"latest_scores shows {seen:,} of {wanted:,} score settings"


def _views(store: Store, hidden: str, fix: bool) -> Finding:
    if not hidden:
        return Finding("views", True, "each score setting is shown with its newest value")
    if not fix:
        return Finding("views", False, f"{hidden}. --fix makes the views again.")
    with connect(store.path, read_only=False, patience_s=store.patience_s) as connection:
        connection.execute(sql_file("views.sql"))
    return Finding("views", True, f"{hidden}: made again")


def _killed(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Runs noted as running that are not, as far as their rows tell."""
    rows = connection.execute(
        "SELECT run FROM runs WHERE state = 'running' AND (started < (SELECT max(started) FROM "
        "runs) OR greatest(started, (SELECT max(stored) FROM scores WHERE scores.run = runs.run), "
        "(SELECT max(started) FROM attempts WHERE attempts.run = runs.run)) < ?) ORDER BY started",
        [datetime.now(UTC).replace(tzinfo=None) - _SIGN_OF_LIFE],
    ).fetchall()
    return [run for (run,) in rows]


def _runs(store: Store, killed: list[str], fix: bool) -> Finding:
    if not killed:
        return Finding("runs", True, "none was left unfinished")
    text = f"{len(killed)} noted as running, but they seem to have been killed: "
    text += ", ".join(killed)
    if not fix:
        return Finding("runs", False, f"{text}. --fix notes them as interrupted.")
    with connect(store.path, read_only=False, patience_s=store.patience_s) as connection:
        connection.execute("UPDATE runs SET state = 'interrupted' WHERE run IN ?", [killed])
    return Finding("runs", True, f"{text}; now noted as interrupted")
