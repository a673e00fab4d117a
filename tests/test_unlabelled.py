"""A folder of images without labels: some scores can be computed of it, others are refused."""

from pathlib import Path

import pytest

import zoo_eval
from tests.datasets.images import encode, noise
from tests.zoo import write_zoo
from zoo_eval import Store
from zoo_eval.errors import JobError
from zoo_eval.job import Job
from zoo_eval.scores import SCORES
from zoo_eval.unlabelled import needs_labels


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("unlabelled")
    (folder / "images").mkdir()
    for seed in range(12):
        (folder / "images" / f"{seed}.png").write_bytes(encode(noise(seed, 20, 20)))
    write_zoo(folder, 1)
    return folder


def job(folder: Path, scores: str, extra: str = "") -> Path:
    path = folder / "job.toml"
    path.write_text(
        f'manifest = "manifest.csv"\nscores = {scores}\n'
        'weights = ["pretrained", "init"]\n[evaluation]\nbatch_size = 8\n'
        f'[dataset]\nsource = "images"\n[probe]\nimages = 4\n{extra}'
    )
    return path


def test_scores_that_need_no_labels(folder, tmp_path):
    store = Store(tmp_path / "r.duckdb")
    path = job(folder, '["params", "rankme", "naswot", "dse"]')
    assert zoo_eval.run(path, store, workers=1).n_ok == 2  # with trained and initial weights
    scores = store.scores().set_index("score")
    assert set(scores.index) == {"params", "rankme", "naswot", "dse"}
    assert scores["value"].notna().all()


def test_scores_that_need_labels_are_refused_before_any_work(folder, tmp_path):
    path = job(folder, '["rankme", "logme", "grad_norm", "knn_accuracy"]')
    with pytest.raises(JobError) as caught:
        zoo_eval.run(path, Store(tmp_path / "r.duckdb"), workers=1)
    assert str(caught.value) == (
        f"logme and 2 more scores need labels, but the images of {folder}/images have none. Put "
        "them in one folder per class, or give a table a column of labels; without labels, rankme "
        "can be computed."
    )


def test_a_probe_of_noise_has_labels_of_its_own(folder, tmp_path):
    path = job(folder, '["grad_norm"]', 'source = "noise"')
    assert zoo_eval.run(path, Store(tmp_path / "r.duckdb"), workers=1).n_ok == 1
    assert needs_labels(SCORES["grad_norm"])
    assert not needs_labels(SCORES["grad_norm"], "noise")
    assert needs_labels(SCORES["logme"], "noise")


def test_a_job_can_name_the_folder_that_is_the_class(folder):
    path = job(folder, '["params"]')
    path.write_text(path.read_text().replace("[probe]", 'class_folder = "first"\n[probe]'))
    assert Job.load(path).dataset.class_folder == "first"
    path.write_text(path.read_text().replace('"first"', '"second"'))
    with pytest.raises(JobError, match=r"class_folder = 'second': input should be"):
        Job.load(path)
