"""`zoo-eval export` and `import`: nothing is lost, doubled or quietly overwritten."""

import dataclasses
import json
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.cli.call import call
from tests.store.test_arrays import KEY, arrays
from tests.store.test_check import content, problems
from tests.store.test_store import DATASET, NOON, key, outcome
from zoo_eval.errors import StoreError
from zoo_eval.store import (
    ArrayFolder,
    Attempt,
    ModelRow,
    Outcome,
    RunRow,
    ScoreRow,
    Store,
    Trust,
)
from zoo_eval.store.exported import write_arrays, write_tables
from zoo_eval.store.merge import merge


def run_row(run: str, started: datetime) -> RunRow:
    return RunRow(run, "job", "text", "zoo-eval run job", started, None, '{"a": "ä"}', "host")


def model_row(model: str, params: int, accuracy: float) -> ModelRow:
    published = (("x", "top1", accuracy), ("x", "top5", 1.0))
    return ModelRow(
        *(model, "fam", params, None, None, 32, None, False, None, "x", '{"n": [1, null]}'),
        *(published, "here"),
    )


def fill(store: Store, run: str, model: str, *, params: int, when: datetime = NOON) -> None:
    """A run with one model: something in every table."""
    store.begin_run(run_row(run, when), [model_row(model, params, 0.5)], DATASET)
    rows = (
        ScoreRow(key(model=model), 1 / 3, None, 0.1, 0.2, 0.4, "bf16"),
        ScoreRow(key("rankme", model=model), None, "all zero: 'x'\n\"y\"", 0.1),
        ScoreRow(key("zen", model=model, dataset="none", options='{"a": 1}'), 5e-324, None, 0.1),
    )
    attempt = Attempt(model, "pretrained", 0, when, 1.0, traceback="a\nb", relief="bf16")
    gate = Trust(model, DATASET.dataset, 0.1, 0.5, 10, 0.0, 0.3)
    kept = store.arrays.write(KEY._replace(model=model), *arrays())
    store.commit(run, Outcome(attempt, rows, gate, kept))
    store.keep_calibration("mine", f"of {model}", 1.0)
    store.end_run(run, "done")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    fill(Store(folder / "here.duckdb"), "r1", "m.a", params=7)
    fill(Store(folder / "there.duckdb"), "r2", "m.b", params=8, when=NOON + timedelta(hours=1))
    return folder


@pytest.fixture
def here(made, tmp_path) -> Store:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Store(tmp_path / "here.duckdb", patience_s=0.5)


@pytest.fixture
def there(here) -> Store:
    return Store(here.path.with_name("there.duckdb"), patience_s=0.5)


@pytest.fixture
def new(tmp_path) -> Store:
    return Store(tmp_path / "new" / "new.duckdb", patience_s=0.5)


def everything(store: Store) -> dict[str, list]:
    calibrations = store.sql("FROM calibrations ORDER BY ALL").astype(str).values.tolist()
    rows = {table: sorted(rows, key=repr) for table, rows in content(store).items()}
    return {**rows, "calibrations": calibrations}


def exported(store: Store, folder: Path, kind: str = "parquet") -> Path:
    assert len(list(write_tables(store, folder, kind))) == 12
    return folder


def test_two_stores_become_one(here, there):
    merged = merge(here, there.path)
    assert merged.added == {
        **dict.fromkeys(("runs", "models", "attempts", "trust", "calibrations", "embeddings"), 1),
        **{"scores": 3, "accuracies": 2, "datasets": 0},
    }
    assert (merged.n_known, merged.conflicts, merged.lost) == (0, (), ())
    assert problems(here) == {}
    for row in here.kept_arrays():
        assert (here.arrays.read(row)[0] == arrays()[0]).all()
    parts = everything(there)
    for table, rows in everything(here).items():
        assert all(row in rows for row in parts[table])
    assert len(here.done()) == 6


def test_twice_changes_nothing_nor_does_the_way_back(here, there):
    merge(here, there.path)
    before = everything(here)
    again = merge(here, there.path)
    assert not any(again.added.values())
    assert again.n_known == 3
    assert everything(here) == before
    back = merge(there, here.path)
    assert back.n_known == 3
    assert everything(there) == before


@pytest.mark.parametrize("how", ["store", "parquet"])
def test_into_a_new_file_all_is_the_same(here, new, tmp_path, how):
    source = here.path
    if how == "parquet":
        source = exported(here, tmp_path / "out")
        assert list(write_arrays(here, here.arrays, source / "arrays")) == [
            row.file for row in here.kept_arrays()
        ]
    before = here.path.read_bytes()
    assert merge(new, source).lost == ()
    assert everything(new) == everything(here)
    assert problems(new) == {}
    assert here.path.read_bytes() == before
    pd.testing.assert_frame_equal(new.scores(), here.scores())
    pd.testing.assert_frame_equal(new.leaderboard(), here.leaderboard())


def test_arrays_that_are_not_there_are_left_out_and_named(here, there, new, tmp_path):
    merged = merge(new, exported(here, tmp_path / "out"))
    [reason] = merged.lost
    assert "is missing" in reason
    assert merged.added["embeddings"] == 0
    assert problems(new) == {}
    [row] = there.kept_arrays()
    file = Path(there.arrays.location) / row.file
    file.write_bytes(file.read_bytes()[::-1])
    assert "is not as it was written" in merge(here, there.path).lost[0]
    assert problems(here) == {}


def test_arrays_elsewhere(here, there, tmp_path):
    target = ArrayFolder(f"memory://{tmp_path.name}")
    Path(there.arrays.location).rename(tmp_path / "moved")
    merged = merge(
        here, there.path, arrays=target, arrays_from=ArrayFolder(str(tmp_path / "moved"))
    )
    assert merged.lost == ()
    assert target.read(there.kept_arrays()[0])


def test_different_values_of_one_key_are_listed_and_the_old_ones_kept(here, there):
    mine = (key(), key("rankme"), key("zen", dataset="none", options='{"a": 1}'))
    same = ScoreRow(mine[0], 1 / 3, None, 9.0)
    other = ScoreRow(mine[1], 4.0, None, 9.0)
    undefined = ScoreRow(mine[2], None, "no", 9.0)
    there.commit("r2", outcome(same, other, undefined))
    before = here.scores()
    merged = merge(here, there.path)
    assert merged.n_known == 1
    assert [(c.key, c.kept, c.other) for c in merged.conflicts] == [
        (mine[2], 5e-324, "no"),
        (mine[1], "all zero: 'x'\n\"y\"", 4.0),
    ]
    assert merged.added["scores"] == 3
    kept = here.scores()
    pd.testing.assert_frame_equal(kept[kept["model"] == "m.a"].reset_index(drop=True), before)


def test_facts_come_from_the_later_run(here, there):
    later, earlier = NOON + timedelta(days=2), NOON - timedelta(days=2)
    there.begin_run(run_row("r3", later), [model_row("m.a", 70, 0.6)], DATASET)
    merge(here, there.path)
    assert here.models().set_index("model")["params"].to_dict() == {"m.a": 70, "m.b": 8}
    assert 0.6 in here.accuracies()["value"].tolist()
    old = Store(here.path.with_name("old.duckdb"))
    old.begin_run(run_row("r0", earlier), [model_row("m.a", 1, 0.1)], DATASET)
    merge(here, old.path)
    assert here.models().set_index("model")["params"].to_dict() == {"m.a": 70, "m.b": 8}
    assert 0.1 not in here.accuracies()["value"].tolist()
    assert "r0" in here.runs()["run"].tolist()


def test_newer_measurements_replace_older_ones(here, there):
    there.keep_calibration("mine", "of m.a", 2.0)
    merge(here, there.path)
    assert here.calibration("mine", "of m.a") == 2.0
    here.keep_calibration("mine", "of m.b", 3.0)
    merge(here, there.path)
    assert here.calibration("mine", "of m.b") == 3.0


def test_a_run_that_was_imported_while_it_was_going(here, there):
    there.begin_run(run_row("r3", NOON + timedelta(days=1)), [], DATASET)
    there.commit("r3", outcome(ScoreRow(key("s1"), 1.0, None, 0.1)))
    merge(here, there.path)
    assert here.runs().set_index("run").loc["r3", "state"] == "running"
    there.commit("r3", outcome(ScoreRow(key("s2"), 1.0, None, 0.1), started=NOON.replace(hour=13)))
    there.end_run("r3", "done")
    merged = merge(here, there.path)
    assert (merged.added["attempts"], merged.added["scores"], merged.added["runs"]) == (1, 1, 0)
    row = here.runs().set_index("run").loc["r3"]
    assert row["state"] == "done"
    assert row["ended"] == there.runs().set_index("run").loc["r3", "ended"]


_HOLD = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1]) as connection:
    print("held", flush=True)
    time.sleep(1)
"""


def test_a_source_that_is_being_written(here, there):
    """A run has its file for moments only; the import waits, and then keeps the run out."""
    command = (sys.executable, "-c", _HOLD, str(there.path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match="in use by another process"):
            merge(Store(here.path, patience_s=0.1), there.path)
        assert merge(Store(here.path, patience_s=30.0), there.path).added["scores"] == 3


def test_an_older_file_is_brought_up_to_date_in_a_copy(new, tmp_path):
    path = tmp_path / "old.duckdb"
    schema = (Path(__file__).parent / "schema_1.sql").read_text()
    row = (*dataclasses.astuple(key()), 1.5, None, 0.1, "r1", NOON)
    connection = duckdb.connect(str(path))
    connection.execute(schema)
    connection.execute(f"INSERT INTO scores VALUES ({', '.join('?' * len(row))})", row)
    connection.close()
    before = path.read_bytes()
    assert merge(new, path).added["scores"] == 1
    assert new.done() == {key()}
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("old")] == ["old.duckdb"]


def test_a_newer_file_is_refused(here, there, tmp_path):
    with duckdb.connect(str(there.path)) as connection:
        connection.execute("UPDATE meta SET schema_version = 99")
    with pytest.raises(StoreError, match=r"newer zoo_eval \(schema 99\); this one knows schema 4"):
        merge(here, there.path)
    out = exported(here, tmp_path / "out")
    pd.DataFrame({"schema_version": [99]}).to_parquet(out / "meta.parquet")
    with pytest.raises(StoreError, match=r"newer zoo_eval \(schema 99\); this one knows schema 4"):
        merge(here, out)


def refusal(here: Store, source: Path) -> str:
    before = here.path.read_bytes() if here.path.exists() else None
    with pytest.raises(StoreError) as caught:
        merge(here, source)
    assert (here.path.read_bytes() if here.path.exists() else None) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_not_ours_is_refused_in_one_line(here, new, tmp_path):
    assert "cannot be imported into itself" in refusal(here, here.path)
    link = tmp_path / "link.duckdb"
    link.symlink_to(here.path)
    assert "cannot be imported into itself" in refusal(here, link)
    assert "does not exist" in refusal(new, tmp_path / "nosuch")
    assert not new.path.exists()
    foreign = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(foreign)) as connection:
        connection.execute("CREATE TABLE mine (x INTEGER)")
    assert "has no table 'meta'" in refusal(here, foreign)
    with duckdb.connect(str(foreign)) as connection:
        connection.execute("CREATE TABLE meta (schema_version INTEGER)")
    assert "does not say which schema" in refusal(here, foreign)
    with duckdb.connect(str(foreign)) as connection:
        connection.execute("INSERT INTO meta VALUES (4)")
    assert "is not whole, so it cannot be imported: no table" in refusal(here, foreign)
    text = tmp_path / "text.duckdb"
    text.write_text("hello " * 1000)
    assert "is not a DuckDB file" in refusal(here, text)


def test_a_view_is_no_table(here, there, tmp_path):
    """A view could read any file of who imports it."""
    with duckdb.connect(str(there.path)) as connection:
        connection.execute("DROP TABLE calibrations")
        connection.execute(
            "CREATE VIEW calibrations AS SELECT content AS machine, filename AS quantity, "
            "1.0 AS value, now()::TIMESTAMP AS stored FROM read_text('/etc/hostname')"
        )
    assert "no table calibrations" in refusal(here, there.path)


def test_folders_that_are_no_export(here, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "it has no meta.parquet. `zoo-eval export parquet` writes one" in refusal(
        here, tmp_path / "empty"
    )
    assert "it has no meta.parquet" in refusal(here, exported(here, tmp_path / "csv", "csv"))
    out = exported(here, tmp_path / "out")
    pd.DataFrame({"mine": [1]}).to_parquet(out / "scores.parquet")
    assert "scores.parquet is not what zoo_eval exports" in refusal(here, out)
    (out / "scores.parquet").write_text("text")
    assert "scores.parquet is not what zoo_eval exports" in refusal(here, out)
    pd.DataFrame({"mine": [1]}).to_parquet(out / "meta.parquet")
    assert "does not say which schema" in refusal(here, out)


def test_an_export_with_a_value_that_cannot_be(here, new, tmp_path):
    out = exported(here, tmp_path / "out")
    frame = pd.read_parquet(out / "accuracies.parquet")
    frame.loc[0, "value"] = 2.0
    frame.to_parquet(out / "accuracies.parquet")
    assert "accuracies.parquet is not what zoo_eval exports: Constraint" in refusal(new, out)


def test_two_datasets_of_one_name_are_refused(here, there):
    with duckdb.connect(str(there.path)) as connection:
        connection.execute("UPDATE datasets SET digest = 'another'")
    assert f"calls another dataset {DATASET.dataset}" in refusal(here, there.path)
    assert len(list(Path(here.arrays.location).iterdir())) == 1  # what was copied went again


def test_csv_has_all_tables_too(here, tmp_path):
    out = exported(here, tmp_path / "csv", "csv")
    scores = pd.read_csv(out / "scores.csv")
    assert scores["value"].tolist()[0] == 1 / 3
    assert scores["undefined_because"].tolist()[1] == "all zero: 'x'\n\"y\""
    assert len(pd.read_csv(out / "calibrations.csv")) == 1


def test_the_commands(here, there, monkeypatch, capsys, tmp_path):
    out = str(tmp_path / "out")
    store = ("--store", str(here.path))
    code, said, _ = call(
        monkeypatch, capsys, "export", "parquet", *store, "--out", out, "--with-arrays"
    )
    assert code == 0
    assert "embeddings.parquet: 1 rows" in said
    assert "arrays: 1 files" in said
    new = ("--store", str(tmp_path / "new.duckdb"))
    code, said, _ = call(monkeypatch, capsys, "import", out, *new)
    assert code == 0
    assert "1 embeddings" in said
    assert "3 scores" in said
    code, said, _ = call(monkeypatch, capsys, "import", out, *new)
    assert (code, "nothing. 3 scores were there already." in said) == (0, True)
    there.commit("r2", outcome(ScoreRow(key(), 9.0, None, 0.1)))
    code, said, _ = call(monkeypatch, capsys, "import", str(there.path), *store)
    assert code == 3
    assert "1 scores have another value there; what is here was kept:" in said
    assert "m.a (pretrained, seed 0) dse {} on toy@12345678: 0.333" in said
    assert said.rstrip().endswith("here, 9.0 there")
    code, said, _ = call(monkeypatch, capsys, "import", str(there.path), *store, "--json")
    assert code == 3
    assert json.loads(said)["conflicts"][0]["other"] == 9.0
    code, _, err = call(monkeypatch, capsys, "import", str(here.path), *store)
    assert (code, err.count("\n")) == (2, 1)
