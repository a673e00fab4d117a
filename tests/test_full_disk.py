"""No space is left, really: on a small file system in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.disks import fill, mounted
from tests.store.test_store import begin, key, outcome
from zoo_eval.errors import DatasetError, ReportError, StoreError
from zoo_eval.store import ScoreRow, Store


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight megabytes."""
    with mounted(tmp_path / "small", "size=8m") as folder:
        yield folder


def test_the_store_keeps_what_was_stored_before(small_disk):
    store = Store(small_disk / "results.duckdb")
    begin(store)
    store.commit("r1", outcome(ScoreRow(key(), 1.5, None, 0.1)))
    fill(small_disk)
    rows = [ScoreRow(key(f"s{k}"), 1.0, None, 0.1) for k in range(5000)]
    with pytest.raises(StoreError, match="no space is left on the disk; what was stored before"):
        store.commit("r1", outcome(*rows))
    (small_disk / "ballast").unlink()
    assert store.done() == {key()}
    store.commit("r1", outcome(*rows))
    assert len(store.done()) == 5001


def test_a_report_is_one_line_of_error(small_disk, tmp_path):
    from zoo_eval.report import collect, write_report

    store = Store(tmp_path / "results.duckdb")
    begin(store)
    store.commit("r1", outcome(ScoreRow(key(), 1.0, None, 0.1)))
    fill(small_disk)
    with pytest.raises(ReportError) as caught:
        write_report(collect(store), small_disk / "report")
    assert "No space left" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_decoded_images_are_one_line_of_error(small_disk, monkeypatch):
    from zoo_eval.datasets import DatasetSpec, load_dataset

    monkeypatch.setenv("ZOO_EVAL_CACHE", str(small_disk))
    fill(small_disk)
    with pytest.raises(DatasetError, match=r"cannot be kept in .*No space left.*ZOO_EVAL_CACHE"):
        load_dataset(DatasetSpec("fashion"))
    assert not list(small_disk.glob("decoded/*"))
