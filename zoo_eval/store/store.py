"""The store: results in one DuckDB file, one transaction per model."""

import dataclasses
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow

from zoo_eval.store.connection import connect
from zoo_eval.store.rows import DatasetRow, ModelRow, Outcome, RunRow, ScoreKey

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_KEY_COLUMNS = tuple(field.name for field in dataclasses.fields(ScoreKey))


class Store:
    """Results in a DuckDB file; opened for each call and closed again.

    Args:
        path: The file. The first write creates it.
        patience_s: How long a call waits while another process has the file.
    """

    def __init__(self, path: str | Path, *, patience_s: float = 60.0) -> None:
        self.path = Path(path)
        self._patience_s = patience_s

    # Writing

    def begin_run(self, run: RunRow, models: Iterable[ModelRow], dataset: DatasetRow) -> None:
        """Note a run, its dataset, and what its manifest says of the models."""
        with self._write() as connection:
            head = (run.run, run.job, run.job_text, run.command, run.started, None, "running")
            row = (*head, run.git_commit, run.versions, run.host)
            connection.execute(f"INSERT INTO runs VALUES ({_marks(row)})", row)
            _insert(connection, "OR REPLACE", "datasets", [dataclasses.astuple(dataset)])
            models = list(models)
            facts = [dataclasses.astuple(m)[:-2] for m in models]
            _insert(connection, "OR REPLACE", "models", facts)
            accuracies = [(m.model, *a, m.source) for m in models for a in m.accuracies]
            _insert(connection, "OR REPLACE", "accuracies", accuracies)

    def commit(self, run: str, outcome: Outcome) -> None:
        """Store one model's attempt, scores and trust gate: all of it or nothing."""
        now = _now()
        a = outcome.attempt
        with self._write() as connection:
            attempt = (run, a.model, a.weights, a.seed, a.started, a.seconds, a.device)
            attempt += (a.peak_rss_bytes, a.outcome, a.error_type, a.message, a.traceback)
            _insert(connection, "", "attempts", [attempt])
            rows = [
                (
                    *(*dataclasses.astuple(r.key), r.value, r.undefined_because, r.seconds),
                    *(run, now, r.low, r.high),
                )
                for r in outcome.scores
            ]
            # Another run of the same job may have stored the same row in the meantime.
            _insert(connection, "OR IGNORE", "scores", rows)
            if t := outcome.trust:
                gate = (t.model, t.dataset, t.measured, t.published, t.n_images)
                gate += (t.low, t.high, t.trusted, now)
                _insert(connection, "OR REPLACE", "trust", [gate])

    def end_run(self, run: str, state: str) -> None:
        """Note that a run is `done` or `interrupted`."""
        with self._write() as connection:
            connection.execute(
                "UPDATE runs SET ended = ?, state = ? WHERE run = ?", [_now(), state, run]
            )

    # Reading

    def done(self) -> set[ScoreKey]:
        """Keys of all stored scores: what a plan leaves out."""
        if not self.path.exists():
            return set()
        with self._read() as connection:
            rows = connection.execute(f"SELECT {', '.join(_KEY_COLUMNS)} FROM scores").fetchall()
        return {ScoreKey(*row) for row in rows}

    def sql(self, query: str, parameters: Sequence[object] = ()) -> "pd.DataFrame":
        """Any read-only SQL query, as a pandas frame."""
        with self._read() as connection:
            return connection.execute(query, list(parameters)).df()

    def scores(self) -> "pd.DataFrame":
        """Newest value of every score setting, one row each."""
        return self.sql("FROM latest_scores ORDER BY model, weights, seed, score, options")

    def models(self) -> "pd.DataFrame":
        """Facts of every model that a run has planned."""
        return self.sql("FROM models ORDER BY model")

    def accuracies(self) -> "pd.DataFrame":
        """Published accuracies: (model, benchmark, metric) → value in [0, 1]."""
        return self.sql("FROM accuracies ORDER BY model, benchmark, metric")

    def datasets(self) -> "pd.DataFrame":
        """Datasets by digest."""
        return self.sql("FROM datasets ORDER BY dataset")

    def runs(self) -> "pd.DataFrame":
        """Runs, oldest first."""
        return self.sql("FROM runs ORDER BY started")

    def attempts(self) -> "pd.DataFrame":
        """Every try at a model, oldest first."""
        return self.sql("FROM attempts ORDER BY started")

    def trust(self) -> "pd.DataFrame":
        """Measured against published accuracy, per model and dataset."""
        return self.sql("FROM trust ORDER BY model, dataset")

    def failures(self) -> "pd.DataFrame":
        """Models whose last attempt did not end well."""
        return self.sql("FROM failures")

    def leaderboard(self) -> "pd.DataFrame":
        """Models with accuracies and score values, best accuracy first."""
        return self.sql("FROM leaderboard")

    def _read(self) -> "AbstractContextManager[duckdb.DuckDBPyConnection]":
        return connect(self.path, read_only=True, patience_s=self._patience_s)

    @contextmanager
    def _write(self) -> "Generator[duckdb.DuckDBPyConnection]":
        with connect(self.path, read_only=False, patience_s=self._patience_s) as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")


def _insert(
    connection: "duckdb.DuckDBPyConnection",
    conflict: str,
    table: str,
    rows: Sequence[Sequence[object]],
) -> None:
    if not rows:
        return
    # One statement over an Arrow table: row by row would take DuckDB milliseconds each.
    columns = {f"c{i}": list(column) for i, column in enumerate(zip(*rows, strict=True))}
    connection.register("incoming", pyarrow.table(columns))
    connection.execute(f"INSERT {conflict} INTO {table} SELECT * FROM incoming")
    connection.unregister("incoming")


def _marks(row: Sequence[object]) -> str:
    return ", ".join("?" * len(row))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
