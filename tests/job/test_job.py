from pathlib import Path

import pytest

from zoo_eval.builtin import builtin_jobs
from zoo_eval.errors import JobError, ManifestError
from zoo_eval.job import Job
from zoo_eval.scores import POOL_SCORES, SCORES, pool_score


@pytest.fixture(autouse=True)
def size_and_entropy(monkeypatch):
    @pool_score(unit="x", higher_is_better=None)
    def size_and_entropy(params, dse):
        """The parts are what matters here."""
        return params + dse

    monkeypatch.setitem(POOL_SCORES, "size_and_entropy", size_and_entropy)


GOOD = """
manifest = "imagenet-lite"
dataset = "fashion"
scores = ["params", "dse", { name = "dse", bandwidth = "median" }]
"""

DSE = {"t": 1, "features": "raw", "entropy": "spectral"}


def load(folder: Path, text: str) -> Job:
    path = folder / "mine.toml"
    path.write_text(text)
    return Job.load(path)


def test_a_job_is_checked_and_filled_in(tmp_path):
    job = load(tmp_path, GOOD)
    assert (job.name, len(job.manifest), job.weights, job.seeds) == (
        "mine",
        3,
        ("pretrained",),
        (0,),
    )
    assert [(r.score.name, r.options, r.weights) for r in job.scores] == [
        ("params", {}, ()),
        ("dse", {**DSE, "bandwidth": "sqrt_dim"}, ("pretrained",)),
        ("dse", {**DSE, "bandwidth": "median"}, ("pretrained",)),
    ]


def test_a_pool_score_stands_for_its_parts(tmp_path):
    # params is asked for twice, and once more as a part.
    text = GOOD.replace('"params",', '"params", "size_and_entropy",')
    job = load(tmp_path, text)
    assert [r.score.name for r in job.scores] == ["params", "dse", "dse"]


def test_a_pool_score_has_no_options(tmp_path):
    text = GOOD.replace('"params",', '{ name = "size_and_entropy", k = 3 },')
    with pytest.raises(JobError, match=r"computed from params, dse when .* but k is given"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('dataset = "fashion"', 'datset = "fashion"', "unknown key 'datset'"),
        ('dataset = "fashion"', 'datset = "fashion"', "Did you mean 'dataset'?"),
        ('dataset = "fashion"', "", "key 'dataset' is missing"),
        ('"params", ', '"parms", ', "there is no such score. Did you mean 'params'?"),
        (
            "bandwidth",
            "bandwith",
            "dse has no option 'bandwith'; it has: bandwidth, t,",
        ),
        ('"params", ', "3, ", "scores.0 = 3:"),
        ('"params", ', '"gradsign", ', "gradsign is wanted on init or init-neutral weights"),
        ("scores", 'weights = ["trained"]\nscores', "weights.0 = 'trained': "),
        ("scores", "seeds = [-1]\nscores", "seeds.0 = -1: "),
        ("scores", 'order = "random"\nscores', "order = 'random': input should be 'manifest' or"),
        ("scores", "limit = 3\nscores", "unknown key 'limit'; allowed are manifest, where,"),
        ("manifest =", "manifest", "is not valid TOML"),
        (
            'dataset = "fashion"',
            'dataset = { source = "fashion", subset = "all" }',
            "dataset.subset = 'all' is unknown; there is imagenette-imagewoof-crops",
        ),
        (
            'dataset = "fashion"',
            'dataset = { source = "fashion", images_per_clas = 3 }',
            "unknown key 'dataset.images_per_clas'; allowed are source, subset,",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(JobError) as caught:
        load(tmp_path, GOOD.replace(old, new))
    assert message in str(caught.value)
    assert "mine.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_manifest(tmp_path):
    with pytest.raises(ManifestError, match="There is no manifest"):
        load(tmp_path, GOOD.replace("imagenet-lite", "nosuch"))


def test_an_unknown_job():
    with pytest.raises(JobError, match=r"There is no job 'nosuch'.*quickstart"):
        Job.load("nosuch")


def test_where_and_order(tmp_path):
    text = GOOD.replace("imagenet-lite", "timm-imagenet").replace("dataset", "DATASET", 1)
    text = text.replace("DATASET", "where = \"params < 2e6\"\norder = 'shuffled'\ndataset")
    job, again = load(tmp_path, text), load(tmp_path, text)
    names = [line.model for line in job.manifest]
    assert all(line.cells["params"] < 2e6 for line in job.manifest)
    assert names != sorted(names)
    assert names == [line.model for line in again.manifest]


def test_paths_are_relative_to_the_job(tmp_path):
    (tmp_path / "images").mkdir()
    assert load(tmp_path, GOOD.replace('"fashion"', '"images"')).dataset.source == str(
        tmp_path / "images"
    )


def test_the_papers_subset(tmp_path):
    spec = load(
        tmp_path,
        GOOD.replace('"fashion"', '{ source = "x", subset = "imagenette-imagewoof-crops" }'),
    ).dataset
    assert len(spec.classes or ()) == 20
    assert (spec.images_per_class, spec.crops, spec.crop_scale) == (50, 3, (0.6, 1.6))


@pytest.mark.parametrize("name", sorted(builtin_jobs()))
def test_builtin_jobs_are_valid(name):
    assert Job.load(name).scores


def test_every_score_is_in_the_job_of_all_scores_or_in_that_of_what_if():
    named = {r.score.name for job in ("all-scores", "what-if") for r in Job.load(job).scores}
    assert named == SCORES.keys()
    left_out = SCORES.keys() - {request.score.name for request in Job.load("all-scores").scores}
    assert {SCORES[name].group for name in left_out} == {"initialisation", "robustness"}
