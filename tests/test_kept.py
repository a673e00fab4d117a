"""Arrays of a pass over the dataset: kept, used instead of the network, and computed again."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import zoo_eval
from tests.zoo import write_job, write_zoo
from zoo_eval import Store
from zoo_eval.files import Files

KEEP = Files(keep_arrays=True)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zoo")
    write_job(folder, write_zoo(folder, 2), scores='["dse"]')
    return folder


def more_scores(zoo: Path) -> Path:
    """The same job with two more scores of the embeddings and logits."""
    text = (zoo / "job.toml").read_text().replace('["dse"]', '["dse", "logme", "leep"]')
    path = zoo / "more.toml"
    path.write_text(text.replace('["pretrained", "init"]', '["pretrained"]'))
    return path


@pytest.fixture(scope="module")
def values(zoo) -> pd.Series:
    """From the networks, nothing kept."""
    store = Store(zoo / "plain.duckdb")
    zoo_eval.run(more_scores(zoo), store, workers=1)
    assert not Path(store.arrays.location).exists()
    return store.scores().set_index(["model", "score"])["value"].sort_index()


@pytest.fixture(scope="module")
def kept(zoo) -> Store:
    """Of one network, with its arrays; tests work on copies."""
    store = Store(zoo / "kept" / "r.duckdb")
    store.path.parent.mkdir()
    assert zoo_eval.run(more_scores(zoo), store, workers=1, files=KEEP, limit=1).n_ok == 1
    return store


@pytest.mark.parametrize(
    "damage",
    # Both of the last are seen by the checksum.
    ["none", "missing", "flipped", pytest.param("truncated", marks=pytest.mark.slow)],
)
def test_later_scores_need_no_network(zoo, tmp_path, kept, values, damage):
    shutil.copytree(kept.path.parent, tmp_path, dirs_exist_ok=True)
    store = Store(tmp_path / "r.duckdb")
    (row,) = store.kept_arrays()
    file = Path(store.arrays.location) / row.file
    whole = file.read_bytes()
    with_loss = {
        "none": whole,
        "truncated": whole[:-10],
        "flipped": bytes([*whole[:-5], whole[-5] ^ 1, *whole[-4:]]),
    }
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(with_loss[damage])
    again = Store(tmp_path / "again.duckdb")
    again.path.write_bytes(store.path.read_bytes())
    with again._write() as connection:  # a score that this store has not got yet
        connection.execute("DELETE FROM scores WHERE score <> 'dse'")
    network = zoo / "test_resnet.s0.safetensors"
    hidden = network.rename(zoo / "hidden")
    try:
        files = Files(keep_arrays=True, arrays=store.arrays.location)
        summary = zoo_eval.run(more_scores(zoo), again, workers=1, files=files, limit=1)
        # Without the file of the network, only whole arrays can give the other scores.
        assert (summary.n_ok, summary.n_failed) == ((1, 0) if damage == "none" else (0, 1))
    finally:
        hidden.rename(network)
    if damage != "none":
        (failed,) = again.attempts()["message"][1:]
        assert "test_resnet.s0.safetensors is missing" in failed
        with again._write() as connection:
            connection.execute("DELETE FROM attempts")
        assert zoo_eval.run(more_scores(zoo), again, workers=1, files=files, limit=1).n_ok == 1
    found = again.scores().set_index(["model", "score"])["value"].sort_index()
    pd.testing.assert_series_equal(found, values["test_resnet.s0":"test_resnet.s0"])
    assert file.read_bytes() == whole


def test_labels_are_kept_as_the_head_counts_them(kept):
    (row,) = kept.kept_arrays()
    arrays = kept.arrays.read(row)
    assert np.bincount(arrays.labels).tolist() == [6] * 10
    (gate,) = kept.trust().to_dict("records")
    assert (arrays.logits.argmax(axis=1) == arrays.labels).mean() == gate["measured"]


def test_other_weights_have_other_arrays(zoo, tmp_path):
    store = Store(tmp_path / "r.duckdb")
    job = zoo / "job.toml"
    both = job.read_text().replace('["dse"]', '[{name = "dse", weights = ["pretrained", "init"]}]')
    (zoo / "both.toml").write_text(both)
    assert zoo_eval.run(zoo / "both.toml", store, workers=1, files=KEEP).n_ok == 4
    rows = store.embeddings()
    assert len(set(rows["sha256"])) == 4
    assert set(rows["n_images"]) == {60}
    assert rows["weights"].value_counts().to_dict() == {"pretrained": 2, "init": 2}


def test_a_full_disk_costs_the_arrays_and_not_the_scores(zoo, tmp_path, values):
    nowhere = tmp_path / "file"
    nowhere.write_text("in the way of the folder")
    store = Store(tmp_path / "r.duckdb")
    files = Files(keep_arrays=True, arrays=str(nowhere))
    summary = zoo_eval.run(more_scores(zoo), store, workers=1, files=files, limit=1)
    assert (summary.n_ok, summary.n_failed) == (0, 1)
    assert store.failures()["message"][0].startswith("kept arrays: ")
    found = store.scores().set_index(["model", "score"])["value"].sort_index()
    pd.testing.assert_series_equal(found, values["test_resnet.s0":"test_resnet.s0"])
