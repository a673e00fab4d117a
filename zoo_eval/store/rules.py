"""What must hold between the rows of a store, whoever wrote them."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb

from zoo_eval.store.layout import expected_tables

# Column → the table whose key it is. `none` stands for no dataset.
_REFERENCES = {
    ("scores", "run"): "runs",
    ("scores", "model"): "models",
    ("scores", "dataset"): "datasets",
    ("attempts", "run"): "runs",
    ("attempts", "model"): "models",
    ("accuracies", "model"): "models",
    ("embeddings", "run"): "runs",
    ("embeddings", "model"): "models",
    ("embeddings", "dataset"): "datasets",
    ("trust", "model"): "models",
    ("trust", "dataset"): "datasets",
}
_FINITE = {
    "accuracies": ("value",),
    "calibrations": ("value",),
    "scores": ("seconds",),
    "trust": ("measured", "published", "low", "high"),
}


@dataclass(frozen=True)
class Rule:
    """A rule, what to say where it holds, and what to do where it does not."""

    name: str
    broken: Callable[[duckdb.DuckDBPyConnection], list[str]]
    holds: str
    advice: str


def _doubled(connection: duckdb.DuckDBPyConnection) -> list[str]:
    queries = [
        f"SELECT '{name}', count(*) FROM "
        f"(SELECT 1 FROM {name} GROUP BY {', '.join(table.key)} HAVING count(*) > 1)"
        for name, table in expected_tables().items()
        if table.key
    ]
    return [f"{n:,} keys of {table} occur twice" for table, n in _counts(connection, queries)]


def _dangling(connection: duckdb.DuckDBPyConnection) -> list[str]:
    queries = [
        f"SELECT '{table}.{column}', count(*) FROM (SELECT DISTINCT {column} FROM {table} "
        f"WHERE {column} <> 'none') ANTI JOIN {target} USING ({column})"
        for (table, column), target in _REFERENCES.items()
    ]
    return [f"{n:,} of {name} are unknown" for name, n in _counts(connection, queries)]


def _no_json(connection: duckdb.DuckDBPyConnection) -> list[str]:
    queries = [
        f"SELECT '{name}.{column}', count(*) FROM {name} WHERE NOT json_valid({column}::VARCHAR)"
        for name, table in expected_tables().items()
        for column, kind in table.columns.items()
        if kind == "JSON"
    ]
    return [f"{n:,} of {name} are no JSON" for name, n in _counts(connection, queries)]


def _unsorted(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "SELECT options::VARCHAR, count(*) FROM scores WHERE json_valid(options::VARCHAR) "
        "GROUP BY options"
    ).fetchall()
    n = sum(count for options, count in rows if not _is_sorted(json.loads(options)))
    return [f"the options of {n:,} scores are not in order"] if n else []


def _values(connection: duckdb.DuckDBPyConnection) -> list[str]:
    queries = [
        "SELECT 'scores with a value and a reason for none, or neither', count(*) FROM scores "
        "WHERE (value IS NULL) = (undefined_because IS NULL)",
        "SELECT 'scores.value that are not finite', count(*) FROM scores WHERE NOT isfinite(value)",
        "SELECT 'accuracies outside 0 to 1', count(*) FROM accuracies "
        "WHERE value NOT BETWEEN 0 AND 1",
        *(
            f"SELECT '{table}.{column} that are not finite', count(*) FROM {table} "
            f"WHERE NOT isfinite({column})"
            for table, columns in _FINITE.items()
            for column in columns
        ),
    ]
    return [f"{n:,} {what}" for what, n in _counts(connection, queries)]


def _counts(connection: duckdb.DuckDBPyConnection, queries: list[str]) -> list[tuple[str, int]]:
    """What occurs at all."""
    rows = connection.execute(" UNION ALL ".join(queries)).fetchall()
    return [(what, n) for what, n in rows if n]


def _is_sorted(value: Any) -> bool:  # noqa: ANN401  # whatever JSON holds
    if isinstance(value, dict):
        return list(value) == sorted(value) and all(map(_is_sorted, value.values()))
    return all(map(_is_sorted, value)) if isinstance(value, list) else True


_IMPORT = "`zoo-eval import` of this file into a new one takes each once."
RULES = (
    Rule("keys", _doubled, "each key occurs once", _IMPORT),
    Rule(
        "references",
        _dangling,
        "runs, models and datasets that rows name are all there",
        "Import the file that these rows came from.",
    ),
    Rule("json", _no_json, "JSON can be read", "Go back to a copy."),
    Rule(
        "options",
        _unsorted,
        "options are in order",
        "Such rows are never found again: delete them.",
    ),
    Rule("values", _values, "each score has a finite value or a reason for none", "Delete them."),
)
