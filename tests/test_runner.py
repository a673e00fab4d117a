"""The path from job to store with real networks, real images and real processes."""

import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

import zoo_eval
from tests.zoo import write_job, write_zoo
from zoo_eval import Store, scores
from zoo_eval.datasets import load_dataset
from zoo_eval.datasets.batches import ModelImages
from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.errors import WeightsError
from zoo_eval.executors.process import Limits
from zoo_eval.job import Job
from zoo_eval.models.build import build_model
from zoo_eval.quantities.forward import forward_pass
from zoo_eval.store.lock import one_run

KEY = ["model", "weights", "seed", "dataset", "score", "options", "version", "fingerprint"]


def values(store: Store) -> pd.DataFrame:
    frame = store.sql(f"SELECT {', '.join(KEY)}, value, undefined_because FROM scores")
    return frame.sort_values(KEY).reset_index(drop=True)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zoo")
    write_job(folder, write_zoo(folder, 4))
    return folder


@pytest.fixture(scope="module")
def finished(zoo) -> Store:
    """The store after one uninterrupted run."""
    store = Store(zoo / "finished.duckdb")
    summary = zoo_eval.run(zoo / "job.toml", store, workers=1)
    assert (summary.n_ok, summary.n_failed, summary.n_left) == (8, 0, 0)
    return store


def test_every_score_is_stored_with_the_value_that_it_has_by_hand(finished, zoo):
    import torch

    job = Job.load(zoo / "job.toml")
    dataset = load_dataset(job.dataset)
    frame = finished.scores().set_index(["model", "score"])["value"]
    assert len(frame) == 20
    for line in job.manifest:
        network = build_model(line, "pretrained", 0)
        images = ModelImages(dataset, preprocessing_of(line), 64, torch.device("cpu"))
        embeddings = forward_pass(network, images).embeddings
        labels = np.array(dataset.labels)
        # The run uses channels last, so its sums are in another order.
        assert frame[line.model, "logme"] == pytest.approx(
            scores.logme(embeddings=embeddings, labels=labels), rel=1e-4
        )
        assert frame[line.model, "dse"] == pytest.approx(
            scores.dse(embeddings=embeddings), rel=1e-4, abs=1e-6
        )
        assert frame[line.model, "params"] == sum(p.numel() for p in network.parameters())


def test_random_networks_with_a_published_accuracy_of_chance_are_trusted(finished):
    trust = finished.trust()
    assert len(trust) == 4
    assert trust["n_images"].tolist() == [60] * 4


def test_a_second_run_does_nothing(finished, zoo):
    before = values(finished)
    summary = zoo_eval.run(zoo / "job.toml", finished, workers=1)
    assert summary.n_units == 0
    pd.testing.assert_frame_equal(values(finished), before)
    assert len(finished.attempts()) == 8


def test_one_model_that_fails_does_not_stop_the_others(zoo, tmp_path, finished):
    header, *lines = (zoo / "manifest.csv").read_text().splitlines(keepends=True)
    names = ["test_convnext.s1", "test_efficientnet.s2"]
    manifest = header + "".join(line for line in lines if line.split(",")[0] in names)
    folder = tmp_path / "broken"
    folder.mkdir()
    for name in names:
        shutil.copy(zoo / f"{name}.safetensors", folder)
    broken = folder / "test_convnext.s1.safetensors"
    broken.write_bytes(broken.read_bytes()[:1000])
    (folder / "manifest.csv").write_text(manifest)
    store = Store(tmp_path / "r.duckdb")
    summary = zoo_eval.run(write_job(folder, folder / "manifest.csv"), store, workers=1)
    assert (summary.n_ok, summary.n_failed) == (3, 1)
    failures = store.failures()
    assert failures["model"].tolist() == ["test_convnext.s1"]
    assert failures["outcome"].tolist() == ["load"]
    assert "SHA-256" in failures["message"][0]
    assert "Traceback" in failures["traceback"][0]
    whole = values(finished)
    whole = whole[whole["model"].isin(names)]
    lost = (whole["model"] == "test_convnext.s1") & (whole["weights"] != "init")
    pd.testing.assert_frame_equal(values(store), whole[~lost].reset_index(drop=True))


def test_weights_from_a_hub_that_cannot_be_reached(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    path = tmp_path / "job.toml"
    path.write_text(
        'manifest = "timm-imagenet"\nwhere = "params < 1e6"\nscores = ["logme"]\n'
        'dataset = "fashion"\n'
    )
    store = Store(tmp_path / "r.duckdb")
    with pytest.raises(WeightsError, match="are not on this machine, and the model hub may not be"):
        zoo_eval.run(path, store)
    assert not store.path.exists()


def start(zoo: Path, store: Path, *arguments: str) -> subprocess.Popen:
    command = (sys.executable, "-m", "zoo_eval", "run", str(zoo / "job.toml"))
    return subprocess.Popen(
        [*command, "--store", str(store), "--workers", "1", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever started the tests in the background may have had Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait_for_rows(store: Store, at_least: int) -> None:
    give_up_at = time.monotonic() + 240
    while len(store.done()) < at_least:
        assert time.monotonic() < give_up_at, "the run stores nothing"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        pytest.param(signal.SIGKILL, -9, marks=pytest.mark.slow),  # test_kills.py kills, too
        (signal.SIGTERM, 130),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_stopped_goes_on_where_it_was(zoo, tmp_path, finished, how, code):
    store = Store(tmp_path / "r.duckdb")
    first = start(zoo, store.path)
    wait_for_rows(store, 1)
    # A terminal sends Ctrl-C to all processes, a batch system its signals to the first.
    (os.killpg if how == signal.SIGINT else os.kill)(first.pid, how)
    output, errors = first.communicate(timeout=120)
    assert first.returncode == code, errors
    stored = len(store.attempts())
    if how != signal.SIGKILL:
        assert "Interrupted: " in output
        assert "goes on" in output
        assert store.runs()["state"].tolist() == ["interrupted"]
    second = start(zoo, store.path)
    output, errors = second.communicate(timeout=240)
    assert second.returncode == 0, errors
    pd.testing.assert_frame_equal(values(store), values(finished))
    assert len(store.attempts()) == 8, f"{stored} were stored before; none may be done again"


def test_a_second_run_on_the_same_store_is_told_who_has_it(zoo, tmp_path, finished):
    store = Store(tmp_path / "r.duckdb")
    shutil.copy(finished.path, store.path)
    with duckdb.connect(store.path) as connection:
        connection.execute("UPDATE runs SET state = 'running'")
    with one_run(store):
        second = start(zoo, store.path)
        output, errors = second.communicate(timeout=120)
    assert (second.returncode, output) == (2, "")
    assert f"Another run works on {store.path}: job on {platform.node()}, since" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["r.duckdb"]


@pytest.mark.skipif(sys.platform != "linux", reason="memory as Linux counts it")
def test_a_network_that_needs_too_much_memory_gets_smaller_batches(tmp_path):
    """300 images at once do not fit into the limit; fewer of them do."""
    job = write_job(
        tmp_path, write_zoo(tmp_path, 1, ("mobilenetv2_050",), image_size=160), scores='["dse"]'
    )
    text = job.read_text().replace("batch_size = 64", "batch_size = 300")
    job.write_text(text.replace("images_per_class = 6", "images_per_class = 30"))
    roomy, tight = Store(tmp_path / "roomy.duckdb"), Store(tmp_path / "tight.duckdb")
    assert zoo_eval.run(job, roomy, workers=1).n_ok == 1
    summary = zoo_eval.run(job, tight, workers=1, limits=Limits(memory=1_000_000_000))
    assert (summary.n_ok, summary.n_failed) == (1, 0)
    attempts = tight.attempts()
    assert attempts["outcome"].tolist()[-1] == "ok"
    assert set(attempts["outcome"][:-1]) == {"out_of_memory"}
    assert attempts["relief"].tolist()[-1].startswith("batch size / ")
    assert tight.scores()["value"][0] == pytest.approx(roomy.scores()["value"][0], rel=1e-5)


def test_a_worker_is_replaced_after_some_networks(zoo, tmp_path, finished):
    store = Store(tmp_path / "r.duckdb")
    summary = zoo_eval.run(zoo / "job.toml", store, workers=1, limits=Limits(networks=3))
    assert (summary.n_ok, summary.n_failed) == (8, 0)
    pd.testing.assert_frame_equal(values(store), values(finished))
    # Peaks are of a process's whole life and never fall, unless a fresh one begins.
    peaks = store.attempts()["peak_rss_bytes"]
    assert peaks.between(10**8, 10**9).all()
    assert (peaks.diff() < 0).sum() == 2
