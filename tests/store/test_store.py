import dataclasses
import math
import multiprocessing
import random
import time
from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from zoo_eval.errors import StoreError
from zoo_eval.store import (
    Attempt,
    DatasetRow,
    ModelRow,
    Outcome,
    RunRow,
    ScoreKey,
    ScoreRow,
    Store,
    Trust,
)
from zoo_eval.store.stored_keys import StoredKeys

NOON = datetime(2026, 1, 1, 12)
DATASET = DatasetRow("toy@12345678", "toy", "12345678", 10, 2, "{}")


def begin(store: Store, run: str = "r1") -> None:
    model = ModelRow(
        "m.a", "fam", 7, None, None, 32, None, False, None, "x", "{}", (("x", "top1", 0.5),), "here"
    )
    store.begin_run(
        RunRow(run, "job", "text", "zoo-eval run job", NOON, None, "{}", "host"), [model], DATASET
    )


def key(score: str = "dse", **changes) -> ScoreKey:
    named = dict(model="m.a", weights="pretrained", seed=0, dataset="toy@12345678", score=score)
    return ScoreKey(**{**named, "options": "{}", "version": 1, "fingerprint": "f", **changes})


def outcome(*rows: ScoreRow, how: str = "ok", started: datetime = NOON) -> Outcome:
    return Outcome(Attempt("m.a", "pretrained", 0, started, 1.0, how, message="why"), rows)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "results.duckdb", patience_s=0.5)
    begin(made)
    return made


def test_what_is_committed_is_done(store):
    store.commit("r1", outcome(ScoreRow(key(), 1.5, None, 0.1)))
    store.commit("r1", outcome(ScoreRow(key("rankme"), None, "all zero", 0.1)))
    assert store.done() == {key(), key("rankme")}
    scores = store.scores()
    assert scores["value"].tolist()[0] == 1.5
    assert scores["undefined_because"].tolist()[1] == "all zero"


def test_outcomes_that_come_together_are_stored_together(store):
    gate = Trust("m.a", "toy@12345678", 0.1, 0.5, 10, 0.0, 0.3)
    attempt = Attempt("m.a", "pretrained", 0, NOON, 1.0)
    row = ScoreRow(key(), 1.5, None, 0.1)
    first = Outcome(attempt, (row, ScoreRow(key("few_shot"), 0.5, None, 0.1, 0.4, 0.6)), gate)
    again = Outcome(attempt, (row,), dataclasses.replace(gate, measured=0.2))
    store.commit("r1", first, again, outcome(how="error"))
    assert store.done() == {key(), key("few_shot")}
    assert store.attempts()["outcome"].tolist() == ["ok", "ok", "error"]
    assert store.trust()["measured"].tolist() == [0.2]
    bad = outcome(ScoreRow(key("bad"), float("nan"), None, 0.1))
    with pytest.raises(StoreError, match="CHECK constraint"):
        store.commit("r1", outcome(ScoreRow(key("good"), 1.0, None, 0.1)), bad)
    assert len(store.done()) == 2
    assert len(store.attempts()) == 3


def test_done_is_a_set_of_keys(store):
    keys = {
        key(score, model=model, seed=seed, fingerprint=f"{score}-{seed}")
        for score in ("dse", "rankme")
        for model in ("m.a", "m.b")
        for seed in (0, 1)
    }
    store.commit("r1", outcome(*(ScoreRow(k, 1.0, None, 0.1) for k in keys)))
    done = store.done()
    assert (set(done), len(done)) == (keys, 8)
    assert all(k in done for k in keys)
    assert key("dse", model="m.c", fingerprint="dse-0") not in done
    assert key("dse", seed=1, fingerprint="dse-0") not in done
    assert "dse" not in done
    assert StoredKeys.of(keys) == done


def test_the_same_row_twice_is_stored_once(store):
    for value in (1.5, 9.9):
        store.commit("r1", outcome(ScoreRow(key(), value, None, 0.1)))
    assert store.sql("SELECT value FROM scores")["value"].tolist() == [1.5]


def test_a_newer_definition_stands_beside_the_older_and_is_shown(store):
    store.commit("r1", outcome(ScoreRow(key(version=1), 1.0, None, 0.1)))
    store.commit("r1", outcome(ScoreRow(key(version=2), 2.0, None, 0.1)))
    assert len(store.sql("FROM scores")) == 2
    assert store.scores()["value"].tolist() == [2.0]


def test_scores_are_those_of_the_view_in_order(store):
    """`Store.scores` is written for speed; the view says the same in a few lines of SQL."""
    rng = random.Random(0)
    rows = [
        ScoreRow(
            key(score, model=model, seed=seed, dataset=dataset, version=version, fingerprint=f),
            *((rng.random(), None) if rng.random() < 0.8 else (None, "no spectrum")),
            rng.random(),
        )
        for score in ("dse", "rankme", "Zen", "é")
        for model in ("m.b", "m.a")
        for seed in (1, 0)
        for dataset in ("toy@12345678", "none")
        for version in (1, 2)
        for f in ("g", "f")
    ]
    rng.shuffle(rows)
    for place in range(0, len(rows), 16):
        store.commit("r1", outcome(*rows[place : place + 16]))
    expected = store.sql(
        "FROM latest_scores ORDER BY model, weights, seed, score, options, dataset"
    )
    assert len(expected) == 32
    pd.testing.assert_frame_equal(store.scores(), expected)
    compact = store.scores(compact=True)
    assert compact.dtypes[["model", "options", "undefined_because"]].eq("category").all()
    plain = compact.astype(expected.dtypes[compact.columns])
    pd.testing.assert_frame_equal(plain, expected[compact.columns])


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_and_infinity_are_refused_and_nothing_is_half_stored(store, value):
    rows = [ScoreRow(key("good"), 1.0, None, 0.1), ScoreRow(key(), value, None, 0.1)]
    with pytest.raises(StoreError, match="CHECK constraint"):
        store.commit("r1", outcome(*rows))
    assert store.done() == set()
    assert len(store.attempts()) == 0


def test_failures_are_models_whose_last_attempt_failed(store):
    store.commit("r1", outcome(how="error"))
    assert store.failures()["message"].tolist() == ["why"]
    store.commit("r1", outcome(started=NOON.replace(hour=13)))
    assert len(store.failures()) == 0
    assert len(store.attempts()) == 2


def test_trust_reaches_the_leaderboard(store):
    gate = Trust("m.a", "toy@12345678", 0.1, 0.5, 10, 0.0, 0.3)
    rows = (ScoreRow(key(), 1.5, None, 0.1),)
    attempt = Attempt("m.a", "pretrained", 0, NOON, 1.0)
    store.commit("r1", Outcome(attempt, rows, gate))
    board = store.leaderboard()
    assert board[["model", "accuracy", "score", "value", "trusted"]].values.tolist() == [
        ["m.a", 0.5, "dse", 1.5, False]
    ]


def test_a_run_ends(store):
    store.end_run("r1", "interrupted")
    assert store.runs()["state"].tolist() == ["interrupted"]


def test_frames_have_the_columns_that_others_build_on(store):
    assert {
        *("model", "weights", "seed", "dataset", "score", "options"),
        *("value", "undefined_because", "seconds"),
    } <= set(store.scores().columns)


def test_no_file_yet(tmp_path):
    store = Store(tmp_path / "none.duckdb")
    assert store.done() == set()
    with pytest.raises(StoreError, match=r"There is no result file .*none.duckdb. `zoo-eval run"):
        store.scores()


def test_not_a_duckdb_file(tmp_path):
    path = tmp_path / "text.duckdb"
    path.write_text("hello " * 1000)
    with pytest.raises(StoreError, match=r"text.duckdb exists, but is not a DuckDB file"):
        Store(path).scores()
    with pytest.raises(StoreError, match="is not a DuckDB file"):
        begin(Store(path))
    assert path.read_text().startswith("hello")


def test_somebody_elses_duckdb_file(tmp_path):
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE mine (x INTEGER)")
    with pytest.raises(StoreError, match="has no table 'meta'"):
        begin(Store(path))


def test_a_file_of_a_newer_version(store):
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("UPDATE meta SET schema_version = 99")
    with pytest.raises(StoreError, match=r"newer zoo_eval .schema 99.; this one knows schema 4"):
        store.scores()


@pytest.fixture
def old_file(tmp_path):
    """A file as the first release wrote it, with one value."""
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute((Path(__file__).parent / "schema_1.sql").read_text())
        row = (*dataclasses.astuple(key()), 1.5, None, 0.1, "r1", datetime(2026, 1, 1))
        connection.execute(f"INSERT INTO scores VALUES ({', '.join('?' * len(row))})", row)
    return path


@pytest.mark.parametrize("first", ["read", "write"])
def test_an_older_file_is_brought_up_to_date(old_file, first):
    store = Store(old_file)
    if first == "write":
        begin(store)
    assert store.done() == {key()}
    store.commit("r1", outcome(ScoreRow(key("few_shot"), 0.5, None, 0.1, 0.4, 0.6)))
    assert store.scores().set_index("score")["high"].to_dict() == {
        "few_shot": 0.6,
        key().score: pytest.approx(math.nan, nan_ok=True),
    }
    assert store.scores()["precision"].tolist() == ["fp32", "fp32"]
    assert store.calibration("mine", "working_set") is None
    fresh = Store(old_file.with_name("fresh.duckdb"))
    begin(fresh)
    for query in (
        "DESCRIBE scores",
        "DESCRIBE calibrations",
        "DESCRIBE attempts",
        "DESCRIBE embeddings",
        "DESCRIBE latest_scores",
        "DESCRIBE leaderboard",
        "FROM meta",
    ):
        assert store.sql(query).equals(fresh.sql(query))


def test_calibrations_are_kept_per_machine(store):
    assert Store(store.path.with_name("none.duckdb")).calibration("mine", "working_set") is None
    assert store.calibration("mine", "working_set") is None
    for value in (1.0, 2.0):
        store.keep_calibration("mine", "working_set", value)
    store.keep_calibration("yours", "working_set", 3.0)
    assert store.calibration("mine", "working_set") == 2.0
    assert store.calibration("mine", "bf16_speedup") is None


def test_a_folder_that_cannot_be_written():
    with pytest.raises(StoreError, match=r"/proc/results.duckdb"):
        begin(Store("/proc/results.duckdb"))


def test_the_folder_is_made_if_it_is_missing(tmp_path):
    begin(Store(tmp_path / "new" / "folder" / "r.duckdb"))
    assert (tmp_path / "new" / "folder" / "r.duckdb").is_file()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"r\.duckdb cannot be written: "):
        begin(Store(tmp_path / "file" / "r.duckdb"))


def test_a_query_that_is_wrong(store):
    with pytest.raises(StoreError, match="nosuch"):
        store.sql("FROM nosuch")


def _hold(path: str, ready, seconds: float) -> None:
    with duckdb.connect(path):
        ready.set()
        time.sleep(seconds)


@pytest.mark.parametrize(("held_s", "patience_s", "fails"), [(1.0, 30.0, False), (20.0, 0.3, True)])
def test_another_process_has_the_file(store, held_s, patience_s, fails):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=_hold, args=(str(store.path), ready, held_s))
    holder.start()
    try:
        assert ready.wait(60)
        patient = Store(store.path, patience_s=patience_s)
        if fails:
            with pytest.raises(StoreError, match="in use by another process"):
                patient.end_run("r1", "done")
        else:
            patient.end_run("r1", "done")
            assert patient.runs()["state"].tolist() == ["done"]
    finally:
        holder.kill()
        holder.join()


def test_a_file_whose_making_was_cut_short_is_as_good_as_none(tmp_path):
    store = Store(tmp_path / "r.duckdb", patience_s=0.5)
    duckdb.connect(str(store.path)).close()
    assert store.done() == set()
    assert store.given_up() == {}
    begin(store)
    assert len(store.runs()) == 1
