"""The store: results in one DuckDB file, one transaction per model."""

import dataclasses
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zoo_eval.store.arrays import ArrayFolder
from zoo_eval.store.connection import connect
from zoo_eval.store.inserting import after_all, insert, marks, now
from zoo_eval.store.newest import newest, with_plain_text
from zoo_eval.store.rows import DatasetRow, EmbeddingsRow, Failure, ModelRow, Outcome, RunRow
from zoo_eval.store.stored_keys import SettingKey, StoredKeys

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_SETTING_COLUMNS = ", ".join(SettingKey._fields)
_COMPACT = [
    *("model", "weights", "seed", "dataset", "score", "options"),
    *("value", "low", "high", "undefined_because", "seconds"),
]


class Store:
    """Results in a DuckDB file; opened for each call and closed again.

    Args:
        path: The file. The first write creates it.
        patience_s: How long a call waits while another process has the file.
    """

    def __init__(self, path: str | Path, *, patience_s: float = 60.0) -> None:
        self.path = Path(path)
        self.patience_s = patience_s

    @property
    def arrays(self) -> ArrayFolder:
        """Where kept arrays go by default: `results.arrays` beside `results.duckdb`."""
        name = self.path.name.removesuffix(".duckdb") + ".arrays"
        return ArrayFolder(str(self.path.with_name(name)))

    # Writing

    def begin_run(self, run: RunRow, models: Iterable[ModelRow], dataset: DatasetRow) -> None:
        """Note a run, its dataset, and what its manifest says of the models."""
        with self._write() as connection:
            started = after_all(connection, "runs", "started", run.started)
            head = (run.run, run.job, run.job_text, run.command, started, None, "running")
            row = (*head, run.git_commit, run.versions, run.host)
            connection.execute(f"INSERT INTO runs VALUES ({marks(row)})", row)
            insert(connection, "OR REPLACE", "datasets", [dataclasses.astuple(dataset)])
            models = list(models)
            facts = [dataclasses.astuple(m)[:-2] for m in models]
            insert(connection, "OR REPLACE", "models", facts)
            accuracies = [(m.model, *a, m.source) for m in models for a in m.accuracies]
            insert(connection, "OR REPLACE", "accuracies", accuracies)

    def commit(self, run: str, *outcomes: Outcome) -> None:
        """Store the attempt, scores and trust gate of some models: all of it or nothing."""
        attempts: list[tuple[object, ...]] = []
        scores: list[tuple[object, ...]] = []
        gates: dict[tuple[str, str], tuple[object, ...]] = {}
        arrays: dict[str, tuple[object, ...]] = {}
        with self._write() as connection:
            stored = after_all(connection, "scores", "stored", now())
            for outcome in outcomes:
                a = outcome.attempt
                attempt = (run, a.model, a.weights, a.seed, a.started, a.seconds, a.device)
                attempt += (a.peak_rss_bytes, a.outcome, a.error_type, a.message, a.traceback)
                attempt += (a.relief, a.missing)
                attempts.append(attempt)
                for r in outcome.scores:
                    key = dataclasses.astuple(r.key)
                    value = (r.value, r.undefined_because, r.seconds)
                    scores.append((*key, *value, run, stored, r.low, r.high, r.precision))
                if t := outcome.trust:
                    gate = (t.model, t.dataset, t.measured, t.published, t.n_images)
                    gates[t.model, t.dataset] = (*gate, t.low, t.high, t.trusted, stored)
                if e := outcome.embeddings:
                    arrays[e.file] = (*dataclasses.astuple(e), run, stored)
            insert(connection, "", "attempts", attempts)
            # Another run of the same job may have stored the same row in the meantime.
            insert(connection, "OR IGNORE", "scores", scores)
            insert(connection, "OR REPLACE", "trust", list(gates.values()))
            insert(connection, "OR REPLACE", "embeddings", list(arrays.values()))

    def keep_calibration(self, machine: str, quantity: str, value: float) -> None:
        """Store what was measured on a machine."""
        with self._write() as connection:
            row = (machine, quantity, value, now())
            insert(connection, "OR REPLACE", "calibrations", [row])

    def end_run(self, run: str, state: str) -> None:
        """Note that a run is `done` or `interrupted`."""
        with self._write() as connection:
            connection.execute(
                "UPDATE runs SET ended = greatest(started, ?), state = ? WHERE run = ?",
                [now(), state, run],
            )

    def forget_arrays(self, files: Sequence[str]) -> None:
        """Drop the rows of arrays whose files are lost."""
        with self._write() as connection:
            connection.execute("DELETE FROM embeddings WHERE file IN ?", [list(files)])

    # Reading

    def done(self) -> StoredKeys:
        """Keys of all stored scores: what a plan leaves out."""
        if not self.path.exists():
            return StoredKeys({})
        with self._read() as connection:
            # Fetched once for all models; of each model then only the places in this list.
            connection.execute(
                "CREATE TEMP TABLE settings AS SELECT row_number() OVER () - 1 AS place, * "
                f"FROM (SELECT DISTINCT {_SETTING_COLUMNS} FROM scores)"
            )
            settings = connection.execute(
                f"SELECT {_SETTING_COLUMNS} FROM settings ORDER BY place"
            ).fetchall()
            models = connection.execute(
                "SELECT model, fingerprint, list(place) FROM scores "
                f"JOIN settings USING ({_SETTING_COLUMNS}) GROUP BY model, fingerprint"
            ).fetchall()
        keys = [SettingKey(*row) for row in settings]
        return StoredKeys(
            {
                (model, digest): frozenset(keys[p] for p in places)
                for model, digest, places in models
            }
        )

    def given_up(self) -> dict[Failure, str]:
        """Failures that would only happen again, and the type of the newest of each."""
        if not self.path.exists():
            return {}
        with self._read() as connection:
            # By rowid, as the clock may have been set back in the meantime.
            rows = connection.execute(
                "SELECT model, weights, seed, missing, arg_max(outcome, rowid) FROM attempts "
                "WHERE missing IS NOT NULL GROUP BY ALL"
            ).fetchall()
        return {Failure(*row[:4]): row[4] for row in rows}

    def calibration(self, machine: str, quantity: str) -> float | None:
        """What was measured on a machine, or None."""
        if not self.path.exists():
            return None
        with self._read() as connection:
            query = "SELECT value FROM calibrations WHERE machine = ? AND quantity = ?"
            row = connection.execute(query, [machine, quantity]).fetchone()
        return None if row is None else float(row[0])

    def sql(self, query: str, parameters: Sequence[object] = ()) -> "pd.DataFrame":
        """Any read-only SQL query, as a pandas frame."""
        with self._read() as connection:
            return connection.execute(query, list(parameters)).df()

    def scores(self, *, compact: bool = False) -> "pd.DataFrame":
        """Newest value of every score setting, one row each, in the order of the settings.

        Args:
            compact: Text as ordered categories, and without `version`, `fingerprint`, `run`,
                `stored` and `precision`: a tenth of the memory, and quick to group.
        """
        columns = f"{', '.join(_COMPACT)}, version, stored, fingerprint" if compact else "*"
        with self._read() as connection, connection.cursor() as cursor:
            frame = newest(cursor.sql(f"SELECT {columns} FROM scores").to_arrow_table())
        return frame.loc[:, _COMPACT] if compact else with_plain_text(frame)

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

    def embeddings(self) -> "pd.DataFrame":
        """Arrays that were kept: which network's, and in which file."""
        return self.sql("FROM embeddings ORDER BY model, weights, seed, dataset, fingerprint")

    def kept_arrays(self) -> list[EmbeddingsRow]:
        """The same as rows, such as `ArrayFolder.read` wants them."""
        if not self.path.exists():
            return []
        names = ", ".join(field.name for field in dataclasses.fields(EmbeddingsRow))
        with self._read() as connection:
            rows = connection.execute(f"SELECT {names} FROM embeddings ORDER BY file").fetchall()
        return [EmbeddingsRow(*row) for row in rows]

    def trust(self) -> "pd.DataFrame":
        """Measured against published accuracy, per model and dataset."""
        return self.sql("FROM trust ORDER BY model, dataset")

    def failures(self) -> "pd.DataFrame":
        """Models whose last attempt did not end well."""
        return self.sql("FROM failures")

    def leaderboard(self) -> "pd.DataFrame":
        """Models with accuracies and score values, best accuracy first."""
        return self.sql("FROM leaderboard")

    def fold_in_log(self) -> None:
        """Bring into the file what a killed run left in DuckDB's log beside it.

        Whoever opens the file reads the log too; whoever copies the file alone would lose it.
        """
        if self.path.exists() and self.path.with_name(f"{self.path.name}.wal").exists():
            with connect(self.path, read_only=False, patience_s=self.patience_s) as connection:
                connection.execute("CHECKPOINT")

    def _read(self) -> "AbstractContextManager[duckdb.DuckDBPyConnection]":
        return connect(self.path, read_only=True, patience_s=self.patience_s)

    @contextmanager
    def _write(self) -> "Generator[duckdb.DuckDBPyConnection]":
        with connect(self.path, read_only=False, patience_s=self.patience_s) as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
