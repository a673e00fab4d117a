"""Kept arrays: whole or not there, and never taken for what they are not."""

import dataclasses
import multiprocessing
import os
import signal
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import numpy as np
import pytest
from safetensors.numpy import save

from tests.disks import empty, fill, mounted
from tests.store.test_store import NOON, begin
from zoo_eval.errors import ArrayError
from zoo_eval.store import ArrayFolder, ArrayKey, Attempt, Outcome, Store

KEY = ArrayKey("m.a", "pretrained", 0, "toy@12345678", "f")


def arrays(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal((5, 3)).astype(np.float32),
        rng.standard_normal((5, 2)).astype(np.float32),
    )


@pytest.fixture(params=["folder", "file://", "memory://"])
def folder(request, tmp_path) -> ArrayFolder:
    locations = {
        "folder": str(tmp_path / "new" / "arrays"),
        "file://": f"file://{tmp_path}/arrays",
        "memory://": f"memory://{uuid.uuid4().hex}/arrays",
    }
    return ArrayFolder(locations[request.param])


def change(folder: ArrayFolder, file: str, content: bytes | None) -> None:
    """What a disk, or somebody, did to a file."""
    files, root = fsspec.url_to_fs(folder.location)
    if content is None:
        files.rm_file(f"{root}/{file}")
    else:
        files.pipe_file(f"{root}/{file}", content)


def content(folder: ArrayFolder, file: str) -> bytes:
    files, root = fsspec.url_to_fs(folder.location)
    return files.cat_file(f"{root}/{file}")


def names(folder: ArrayFolder) -> list[str]:
    files, root = fsspec.url_to_fs(folder.location)
    return [path.rsplit("/", 1)[-1] for path in files.ls(root, detail=False)]


def test_what_is_written_is_read(folder):
    labels = np.array([1, 0, 1, 1, 0])
    row = folder.write(KEY, *arrays(), "bf16", labels)
    *read, read_labels = folder.read(row)
    for expected, one in zip(arrays(), read, strict=True):
        np.testing.assert_array_equal(one, expected)
        assert one.dtype == np.float32
    np.testing.assert_array_equal(read_labels, labels)
    assert (row.model, row.weights, row.seed, row.dataset, row.fingerprint) == KEY
    assert (row.n_images, row.width, row.n_outputs) == (5, 3, 2)
    assert (row.dtype, row.precision) == ("float32", "bf16")
    assert row.bytes == len(content(folder, row.file))
    assert names(folder) == [row.file]


def test_the_same_arrays_are_the_same_file_and_others_are_another(folder):
    row = folder.write(KEY, *arrays())
    assert folder.write(KEY, *arrays()) == row
    other = folder.write(KEY._replace(seed=1), *arrays())
    assert other.file != row.file
    assert sorted(names(folder)) == sorted([row.file, other.file])
    again = folder.write(KEY, *arrays(1))
    assert again.file == row.file
    np.testing.assert_array_equal(folder.read(again)[0], arrays(1)[0])
    with pytest.raises(ArrayError, match="is not as it was written"):
        folder.read(row)


def test_other_kinds_of_numbers_and_a_network_without_outputs(tmp_path):
    folder = ArrayFolder(str(tmp_path))
    embeddings = np.asfortranarray(arrays()[0].astype(np.float64))
    row = folder.write(KEY, embeddings, np.zeros((5, 0), np.float16))
    assert row.n_outputs == 0
    read, outputs, labels = folder.read(row)
    assert labels is None
    np.testing.assert_array_equal(read, arrays()[0])
    assert outputs.shape == (5, 0)


def test_every_flipped_bit_is_noticed(folder):
    row = folder.write(KEY, *arrays())
    whole = content(folder, row.file)
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        change(folder, row.file, bytes(damaged))
        with pytest.raises(ArrayError, match=rf"{row.file} is not as it was written: its bytes"):
            folder.read(row)


@pytest.mark.parametrize("n_bytes", [0, 8, 100])
def test_truncated(folder, n_bytes):
    row = folder.write(KEY, *arrays())
    change(folder, row.file, content(folder, row.file)[:n_bytes])
    with pytest.raises(ArrayError, match=f"should hold {row.bytes} bytes, but holds {n_bytes}"):
        folder.read(row)


def test_missing(folder):
    row = folder.write(KEY, *arrays())
    change(folder, row.file, None)
    with pytest.raises(ArrayError, match=rf"arrays/{row.file} is missing"):
        folder.read(row)


def test_arrays_of_another_shape_or_kind(tmp_path):
    folder = ArrayFolder(str(tmp_path))
    row = folder.write(KEY, *arrays())
    with pytest.raises(ArrayError, match=r"should hold .*\(6, 3\).* but holds .*\(5, 3\)"):
        folder.read(dataclasses.replace(row, n_images=6))

    def put(new: bytes):
        import hashlib

        (tmp_path / row.file).write_bytes(new)
        return dataclasses.replace(row, bytes=len(new), sha256=hashlib.sha256(new).hexdigest())

    with pytest.raises(ArrayError, match="should hold"):
        folder.read(put(save({"embeddings": arrays()[0]})))
    with pytest.raises(ArrayError, match="should hold"):
        folder.read(put(save({"embeddings": np.zeros((5, 3)), "logits": arrays()[1]})))
    with pytest.raises(ArrayError, match="is no safetensors file"):
        folder.read(put(b"no arrays at all"))


def test_a_row_cannot_lead_out_of_the_folder(tmp_path):
    folder = ArrayFolder(str(tmp_path / "arrays"))
    row = folder.write(KEY, *arrays())
    (tmp_path / row.file).write_bytes((tmp_path / "arrays" / row.file).read_bytes())
    for file in (f"../{row.file}", str(tmp_path / row.file), "", "unfinished-x"):
        with pytest.raises(ArrayError, match="is no name of an array file"):
            folder.read(dataclasses.replace(row, file=file))


def test_files_that_no_row_names(folder):
    assert folder.unreferenced([]) == []
    kept = folder.write(KEY, *arrays())
    other = folder.write(KEY._replace(model="m.b"), *arrays())
    change(folder, "README.txt", b"not ours")
    assert folder.unreferenced([kept, other]) == []
    assert folder.unreferenced([kept]) == [other.file]
    folder.drop([other.file])
    assert sorted(names(folder)) == sorted([kept.file, "README.txt"])
    folder.read(kept)
    folder.drop([other.file])  # somebody was faster


def test_what_writers_left_where_there_are_no_locks():
    folder = ArrayFolder(f"memory://{uuid.uuid4().hex}")
    row = folder.write(KEY, *arrays())
    change(folder, "unfinished-1", b"begun")
    assert folder.unreferenced([row]) == []  # its writer may live
    files, root = fsspec.url_to_fs(folder.location)
    files.store[f"{root}/unfinished-1"].modified = datetime.now(UTC) - timedelta(days=2)
    assert folder.unreferenced([row]) == ["unfinished-1"]
    folder.drop(["unfinished-1"])
    assert names(folder) == [row.file]


def _write_slowly(location: str, ready) -> None:
    import time
    from collections.abc import Callable

    real: Callable[[int], None] = os.fsync

    def slowly(handle: int) -> None:
        ready.set()
        time.sleep(60)
        real(handle)

    os.fsync = slowly
    ArrayFolder(location).write(KEY, *arrays())


def test_a_writer_that_is_killed_leaves_what_can_be_found_and_dropped(tmp_path):
    folder = ArrayFolder(str(tmp_path))
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    writer = context.Process(target=_write_slowly, args=(str(tmp_path), ready))
    writer.start()
    try:
        assert ready.wait(60)
        [unfinished] = names(folder)
        assert folder.unreferenced([]) == []  # it is being written
        folder.drop([])
        assert names(folder) == [unfinished]
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
    assert folder.unreferenced([]) == [unfinished]
    folder.drop([unfinished])
    assert names(folder) == []


def _write_often(location: str) -> None:
    for _ in range(30):
        ArrayFolder(location).write(KEY, *arrays())


def test_two_writers_of_the_same_arrays_and_a_reader(tmp_path):
    folder = ArrayFolder(str(tmp_path))
    row = folder.write(KEY, *arrays())
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_often, args=(str(tmp_path),)) for _ in range(2)]
    for writer in writers:
        writer.start()
    n_read = 0
    while any(writer.is_alive() for writer in writers):
        folder.read(row)
        n_read += 1
    assert n_read > 0
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert names(folder) == [row.file]


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    with mounted(tmp_path / "small", "size=4m") as disk:
        folder = ArrayFolder(str(disk / "arrays"))
        row = folder.write(KEY, *arrays())
        wide = np.zeros((1000, 200), np.float32)
        for free in (0, 4096, 8192, 400_000):
            fill(disk, free=free)
            with pytest.raises(ArrayError, match=r"cannot be written.*No space left") as caught:
                folder.write(KEY, wide, wide)
            assert "\n" not in str(caught.value)
            assert names(folder) == [row.file]
            folder.read(row)
            empty(disk)
        folder.read(folder.write(KEY, wide, wide))


@pytest.mark.parametrize(
    ("location", "reason"),
    [("nosuch://x", "nosuch"), ("/proc/arrays", "cannot be written"), ("s3://b/x", "s3fs")],
)
def test_places_where_nothing_can_be_kept(location, reason):
    if location.startswith("s3"):
        try:
            import s3fs  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("s3fs is installed")
    with pytest.raises(ArrayError, match=reason) as caught:
        ArrayFolder(location).write(KEY, *arrays())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("store", "expected"),
    [("results.duckdb", "results.arrays"), ("my.store", "my.store.arrays"), ("r", "r.arrays")],
)
def test_the_default_folder_is_beside_the_store(tmp_path, store, expected):
    assert Path(Store(tmp_path / store).arrays.location) == tmp_path / expected


def test_rows_go_through_the_store(tmp_path):
    store = Store(tmp_path / "r.duckdb")
    assert store.kept_arrays() == []
    begin(store)
    row = store.arrays.write(KEY, *arrays())
    attempt = Attempt("m.a", "pretrained", 0, NOON, 1.0)
    store.commit("r1", Outcome(attempt, embeddings=row), Outcome(attempt, embeddings=row))
    assert store.kept_arrays() == [row]
    np.testing.assert_array_equal(store.arrays.read(store.kept_arrays()[0])[1], arrays()[1])
