"""`zoo-eval doctor --store` on real stores that were really damaged."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from tests.cli.call import call
from tests.store.test_arrays import KEY, arrays
from tests.store.test_store import DATASET, NOON, begin, key
from zoo_eval.errors import StoreError
from zoo_eval.store import Attempt, Outcome, RunRow, ScoreRow, Store, Trust
from zoo_eval.store.check import check_store
from zoo_eval.store.lock import one_run
from zoo_eval.store.merge import merge


def fill(store: Store) -> None:
    """Something in every table, and one kept array."""
    begin(store)
    rows = (
        ScoreRow(key(), 1.5, None, 0.1),
        ScoreRow(key("rankme"), None, "all zero", 0.1),
        ScoreRow(key("zen", dataset="none", options='{"a": 1, "b": {"c": [1]}}'), 2.0, None, 0.1),
    )
    gate = Trust("m.a", "toy@12345678", 0.1, 0.5, 10, 0.0, 0.3)
    row = store.arrays.write(KEY, *arrays())
    store.commit("r1", Outcome(Attempt("m.a", "pretrained", 0, NOON, 1.0), rows, gate, row))
    store.keep_calibration("mine", "working_set", 1.0)
    store.end_run("r1", "done")


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    fill(Store(folder / "results.duckdb"))
    return folder


@pytest.fixture
def store(sound, tmp_path) -> Store:
    shutil.copytree(sound, tmp_path, dirs_exist_ok=True)
    return Store(tmp_path / "results.duckdb", patience_s=0.5)


def findings(store: Store, *, fix: bool = False) -> dict[str, tuple[bool, str]]:
    return {f.name: (f.good, f.text) for f in check_store(store, store.arrays, fix=fix)}


def problems(store: Store, *, fix: bool = False) -> dict[str, str]:
    return {name: text for name, (good, text) in findings(store, fix=fix).items() if not good}


def sql(store: Store, *statements: str) -> None:
    """What somebody did to the file."""
    with duckdb.connect(str(store.path)) as connection:
        for statement in statements:
            connection.execute(statement)


def content(store: Store) -> dict[str, list]:
    tables = ("scores", "models", "accuracies", "datasets", "runs", "attempts", "embeddings")
    with duckdb.connect(str(store.path), read_only=True) as connection:
        return {
            t: connection.execute(f"FROM {t} ORDER BY ALL").fetchall() for t in (*tables, "trust")
        }


def test_a_sound_store(store):
    before = store.path.read_bytes()
    assert problems(store) == {}
    assert "1 attempts, 1 calibrations, 1 datasets, 1 embeddings" in findings(store)["tables"][1]
    assert findings(store)["arrays"] == (True, "1 kept, all as they were written")
    assert problems(store, fix=True) == {}
    assert store.path.read_bytes() == before


def test_a_changed_byte_is_found_or_does_no_harm(store, tmp_path):
    """DuckDB gives each block a checksum; some blocks hold nothing any more."""
    whole, expected = store.path.read_bytes(), content(store)
    damaged = Store(tmp_path / "damaged.duckdb", patience_s=0.1)
    (tmp_path / "damaged.arrays").symlink_to(tmp_path / "results.arrays")
    found = 0
    for place in (0, 4096, 8192, *range(12288 + 20, len(whole), 262144)):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        damaged.path.write_bytes(changed)
        wrong = problems(damaged)
        found += bool(wrong)
        assert all("\n" not in text for text in wrong.values())
        assert wrong or content(damaged) == expected
    assert found >= 5


def test_a_file_cut_short_or_of_another_kind(store, tmp_path):
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[: len(whole) // 2])
    assert "Go back to a copy" in str(problems(store))
    store.path.write_bytes(b"not a database" * 1000)
    assert "is not a DuckDB file" in problems(store)["file"]
    with pytest.raises(StoreError, match="There is no result file"):
        findings(Store(tmp_path / "none.duckdb"))


def test_doubled_keys(store):
    """Only a table that lost its key can have them."""
    sql(store, "CREATE TABLE copy AS FROM scores", "INSERT INTO copy FROM scores LIMIT 2")
    sql(
        store,
        *("DROP VIEW leaderboard", "DROP VIEW latest_scores", "DROP TABLE scores"),
        "ALTER TABLE copy RENAME TO scores",
    )
    wrong = problems(store)
    assert "scores has no primary key (model, weights, seed" in wrong["layout"]
    assert wrong["keys"].startswith("2 keys of scores occur twice. `zoo-eval import`")
    assert "latest_scores" in wrong["views"]
    assert "made again" in findings(store, fix=True)["views"][1]
    assert "views" not in problems(store)
    mended = Store(store.path.with_name("mended.duckdb"))
    merge(mended, store.path)
    assert problems(mended) == {}
    assert len(mended.done()) == 3


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM models", "1 of scores.model are unknown; 1 of attempts.model are unknown"),
        ("DELETE FROM datasets", "1 of scores.dataset are unknown"),
        ("DELETE FROM runs", "1 of scores.run are unknown"),
    ],
)
def test_rows_that_name_what_is_not_there(store, statement, expected):
    sql(store, statement)
    assert expected in problems(store)["references"]


def test_tables_and_columns_that_are_gone(store):
    sql(store, "DROP TABLE trust", "ALTER TABLE attempts DROP relief")
    wrong = problems(store)
    assert wrong.keys() == {"layout"}
    assert "no column attempts.relief; no table trust" in wrong["layout"]


def test_no_json(store):
    sql(
        store,
        "ALTER TABLE datasets ALTER recipe TYPE VARCHAR",
        "UPDATE datasets SET recipe = '{broken'",
    )
    wrong = problems(store)
    assert "datasets.recipe is VARCHAR, not JSON" in wrong["layout"]
    assert wrong["json"].startswith("1 of datasets.recipe are no JSON.")


@pytest.mark.parametrize("options", ['{"b": 1, "a": 2}', '{"a": {"d": 1, "c": 2}}'])
def test_options_out_of_order(store, options):
    store.commit(
        "r1",
        Outcome(
            Attempt("m.a", "init", 0, NOON, 1.0), (ScoreRow(key(options=options), 1.0, None, 0.1),)
        ),
    )
    assert problems(store)["options"].startswith("the options of 1 scores are not in order.")


def test_values_that_no_score_may_have(store):
    """A table without its checks lets them in."""
    sql(
        store,
        "CREATE TABLE copy AS FROM scores",
        "UPDATE copy SET value = 'nan' WHERE score = 'dse'",
        "UPDATE copy SET value = 1 WHERE score = 'rankme'",
        *("DROP VIEW leaderboard", "DROP VIEW latest_scores", "DROP TABLE scores"),
        "ALTER TABLE copy RENAME TO scores",
        "UPDATE calibrations SET value = 'inf'",
    )
    wrong = problems(store)["values"]
    assert "1 scores with a value and a reason for none, or neither" in wrong
    assert "1 scores.value that are not finite" in wrong
    assert "1 calibrations.value that are not finite" in wrong


def test_a_view_that_hides_values(store):
    sql(store, "CREATE OR REPLACE VIEW latest_scores AS FROM scores LIMIT 1")
    assert problems(store)["views"].startswith("latest_scores shows 1 of 3 score settings.")
    assert problems(store, fix=True) == {}
    assert len(store.sql("FROM latest_scores")) == 3


def test_a_lost_index_is_no_lost_result(store, tmp_path):
    """What the advice promises: an import mends a file whose index is damaged."""
    whole = store.path.read_bytes()
    for place in range(12288 + 20, len(whole), 262144):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        store.path.write_bytes(changed)
        if problems(store).keys() == {"indexes"}:
            break
    else:
        pytest.skip("this DuckDB keeps no index in a block of its own")
    mended = Store(tmp_path / "mended.duckdb")
    merge(mended, store.path)
    assert content(mended) == content(store)
    assert problems(mended) == {}


def run_row(run: str, started: datetime) -> RunRow:
    return RunRow(run, "job", "text", "zoo-eval run job", started, None, "{}", "host")


def test_runs_that_were_killed(store):
    now = datetime.now(UTC).replace(tzinfo=None)
    store.begin_run(run_row("killed", now), [], DATASET)
    assert problems(store) == {}  # it was the last to begin, a moment ago: it may be going on
    store.begin_run(run_row("going", now), [], DATASET)
    assert problems(store)["runs"] == (
        "1 noted as running, but they seem to have been killed: killed. "
        "--fix notes them as interrupted."
    )
    assert problems(store, fix=True) == {}
    states = store.runs().set_index("run")["state"].to_dict()
    assert states == {"r1": "done", "killed": "interrupted", "going": "running"}
    # Long ago, even the last one.
    sql(store, "UPDATE runs SET started = started - INTERVAL 1 DAY")
    assert "going" in problems(store)["runs"]
    # But not if it has stored something since.
    scores = (ScoreRow(key("new"), 1.0, None, 0.1),)
    store.commit("going", Outcome(Attempt("m.a", "pretrained", 0, NOON, 1.0), scores))
    assert problems(store) == {}


@pytest.mark.parametrize("damage", ["missing", "flipped", "truncated"])
def test_kept_arrays_that_are_lost(store, damage):
    [row] = store.kept_arrays()
    file = Path(store.arrays.location) / row.file
    whole = file.read_bytes()
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(whole[:-1] if damage == "truncated" else b"\0" + whole[1:])
    assert problems(store)["arrays"].startswith("1 of 1 are lost, for example: ")
    assert problems(store, fix=True) == {}
    assert store.kept_arrays() == []
    assert problems(store) == {}
    assert list(Path(store.arrays.location).iterdir()) == []
    assert len(store.done()) == 3


def test_files_that_no_row_names_are_dropped_only_with_fix(store):
    other = store.arrays.write(KEY._replace(seed=7), *arrays())
    file = Path(store.arrays.location) / other.file
    assert other.file in problems(store)["files"]
    assert file.exists()
    assert problems(store, fix=True) == {}
    assert not file.exists()
    assert store.arrays.read(store.kept_arrays()[0])


_COMMITS = """
import sys
from tests.store.test_store import begin, key, outcome
from zoo_eval.store import ScoreRow, Store
store = Store(sys.argv[1])
begin(store, "killed")
n = 0
while True:
    store.commit("killed", outcome(*(ScoreRow(key(f"{n}-{k}"), 1.0, None, 0.1) for k in range(50))))
    n += 1
    print(n, flush=True)
"""


def started(code: str, store: Store) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(store.path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )


def n_scores(store: Store) -> int:
    return int(store.sql("SELECT count(*) AS n FROM scores WHERE run = 'killed'")["n"].iloc[0])


@pytest.mark.parametrize(
    "n_kills", [pytest.param(2, id="short"), pytest.param(40, id="long", marks=pytest.mark.slow)]
)
def test_after_a_kill_at_any_moment_all_is_there_that_was_said_to_be_stored(store, n_kills):
    for kill in range(n_kills):
        writer = started(_COMMITS, store)
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        time.sleep(kill * 0.11 % 0.29)
        os.kill(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
        writer.stdout.close()
        writer.wait()
        assert problems(store) == {}
        n = n_scores(store)
        assert n % 50 == 0
        assert n >= 50 * int(lines[-1])
        runs = ("scores", "attempts", "runs")
        sql(store, *(f"DELETE FROM {table} WHERE run = 'killed'" for table in runs))


_COMMITTED = """
import sys, time
from pathlib import Path
from zoo_eval.store.connection import connect
with connect(Path(sys.argv[1]), read_only=False, patience_s=0.0) as connection:
    for n in range(3):
        connection.execute("BEGIN")
        connection.execute(
            "INSERT INTO scores SELECT * REPLACE ('killed' AS run, score || ? AS score) "
            "FROM scores WHERE run = 'r1'", [str(n)])
        connection.execute(
            "INSERT OR IGNORE INTO runs SELECT * REPLACE ('killed' AS run) FROM runs")
        connection.execute("COMMIT")
    print("committed", flush=True)
    time.sleep(60)
"""


def killed_after_commits(store: Store) -> Path:
    """What was committed is not in the file yet, but in the log beside it."""
    writer = started(_COMMITTED, store)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "committed\n"
    writer.kill()
    writer.wait()
    writer.stdout.close()
    return store.path.with_name("results.duckdb.wal")


def test_the_next_run_leaves_one_file_though_it_has_nothing_to_do(store):
    """Who copies the file must not lose what is in the log."""
    beside = killed_after_commits(store)
    assert beside.exists()
    with one_run(store):
        pass
    assert [path.name for path in store.path.parent.glob("results.duckdb*")] == ["results.duckdb"]
    assert n_scores(store) == 9


def test_what_was_committed_but_is_not_in_the_file_yet(store):
    beside = killed_after_commits(store)
    log, file = beside.read_bytes(), store.path.read_bytes()
    assert n_scores(store) == 9
    assert store.path.read_bytes() == file  # for reading it was repeated in memory only
    # A log that was being written when the power went: what is whole in it is kept.
    seen = set()
    for n_bytes in (0, len(log) // 2, len(log) - 1):
        store.path.write_bytes(file)
        beside.write_bytes(log[:n_bytes])
        assert problems(store) == {}
        seen.add(n_scores(store))
    assert seen == {0, 3, 6}
    # A log that was changed is not believed, and says so.
    changed = bytearray(log)
    changed[len(log) // 2] ^= 0xFF
    store.path.write_bytes(file)
    beside.write_bytes(changed)
    assert f"Moved aside, {beside} takes only the last" in problems(store)["file"]
    beside.unlink()
    assert problems(store) == {}
    assert n_scores(store) == 0
    store.path.write_bytes(file)
    beside.write_bytes(log)
    assert problems(store) == {}
    assert n_scores(store) == 9
    assert not beside.exists()  # it is in the file now


def test_the_command(store, monkeypatch, capsys):
    code, out, _ = call(monkeypatch, capsys, "doctor", "--store", str(store.path))
    assert code == 0
    assert "PROBLEM" not in out
    other = store.arrays.write(KEY._replace(seed=7), *arrays())
    code, out, _ = call(monkeypatch, capsys, "doctor", "--store", str(store.path))
    assert code == 1
    assert f"PROBLEM files: 1 in {store.arrays.location} belong to no row: {other.file}" in out
    code, out, _ = call(monkeypatch, capsys, "doctor", "--store", str(store.path), "--json")
    assert code == 1
    assert [f["name"] for f in json.loads(out) if not f["good"]] == ["files"]
    code, out, _ = call(monkeypatch, capsys, "doctor", "--store", str(store.path), "--fix")
    assert code == 0
    code, _, err = call(monkeypatch, capsys, "doctor", "--store", "nosuch.duckdb")
    assert (code, err.count("\n")) == (2, 1)
    code, _, err = call(monkeypatch, capsys, "doctor", "--fix")
    assert (code, "name it with --store" in err) == (2, True)


def test_arrays_kept_elsewhere(store, tmp_path, monkeypatch, capsys):
    Path(store.arrays.location).rename(tmp_path / "elsewhere")
    code, out, _ = call(monkeypatch, capsys, "doctor", "--store", str(store.path))
    assert (code, "is missing" in out) == (1, True)
    code, *_ = call(
        *(monkeypatch, capsys, "doctor", "--store", str(store.path)),
        *("--arrays", f"file://{tmp_path}/elsewhere"),
    )
    assert code == 0
    assert dataclasses.astuple(store.kept_arrays()[0])[:5] == KEY
