"""Ensembles from a store's kept logits: which are used, and what is said where there are none."""

import importlib
from dataclasses import replace

import numpy as np
import pytest

from tests.store.test_store import NOON
from zoo_eval.ensembles.members import Members
from zoo_eval.ensembles.partners import partners
from zoo_eval.report import collect, write_report
from zoo_eval.report.ensembling import ensembles
from zoo_eval.store import (
    ArrayKey,
    Attempt,
    DatasetRow,
    ModelRow,
    Outcome,
    RunRow,
    ScoreKey,
    ScoreRow,
    Store,
)

N, CLASSES = 240, 4
LABELS = np.arange(N) % CLASSES
DATASET = "toy@12345678"
MODELS = {"a.one": "a", "a.two": "a", "b.one": "b", "c.one": "c"}
ACCURACIES = (0.9, 0.8, 0.7, 0.6)


def logits(seed: int, skill: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((N, CLASSES))
    return (skill * np.eye(CLASSES)[LABELS] + noise).astype(np.float32)


LOGITS = {name: logits(place, 2.5 - place / 2) for place, name in enumerate(MODELS)}


def begin(path, recipe="{}", datasets=(DATASET,)) -> Store:
    store = Store(path)
    models = [
        ModelRow(
            *(name, family, 10 + place, None, None, 32, None, None, None, "x", "{}"),
            accuracies=(("toy", "top1", accuracy),),
            source="here",
        )
        for place, ((name, family), accuracy) in enumerate(
            zip(MODELS.items(), ACCURACIES, strict=True)
        )
    ]
    for place, dataset in enumerate(datasets):
        run = RunRow(f"r{place}", "job", "text", "run", NOON, None, "{}", "host")
        row = DatasetRow(dataset, "toy", dataset[-8:], N, CLASSES, recipe)
        store.begin_run(run, models, row)
    return store


def keep(store: Store, name: str, z: np.ndarray, labels=LABELS, **key) -> None:
    named = {"weights": "pretrained", "seed": 0, "dataset": DATASET, "fingerprint": "f", **key}
    array = ArrayKey(name, **named)
    row = store.arrays.write(array, np.zeros((len(z), 2), np.float32), z, labels=labels)
    score = ScoreKey(
        *(name, array.weights, array.seed, array.dataset), "dse", "{}", 1, array.fingerprint
    )
    value = ScoreRow(score, float(len(name)), None, 0.1)
    attempt = Attempt(name, array.weights, array.seed, NOON, 1.0)
    store.commit("r0", Outcome(attempt, (value,), embeddings=row))


@pytest.fixture
def store(tmp_path) -> Store:
    made = begin(tmp_path / "r.duckdb")
    for name, z in LOGITS.items():
        keep(made, name, z)
    return made


def found_in(store: Store, truth: str | None = None):
    return ensembles(store, store.arrays, collect(store, {}), truth)


def test_all_that_is_kept_is_used(store):
    found = found_in(store)
    expected = partners(Members.of(LOGITS, LABELS))
    assert found.partners.index.tolist() == list(MODELS)
    assert found.partners["partner"].tolist() == [one.partner for one in expected]
    assert found.partners["gain"].tolist() == [one.gain for one in expected]
    assert (found.dataset, found.n_choosing, found.n_judging) == (DATASET, 120, 120)
    assert dict(found.families["n_models"]) == {"a": 2, "b": 1, "c": 1}
    assert (found.left_out, found.why_none) == (0, "")


def test_the_newest_logits_of_a_model_count(store):
    keep(store, "a.one", LOGITS["c.one"], fingerprint="newer")
    found = found_in(store)
    expected = partners(Members.of({**LOGITS, "a.one": LOGITS["c.one"]}, LABELS))
    assert found.partners["together"].tolist() == [one.together for one in expected]


def test_logits_that_do_not_go_with_the_others_are_left_out(tmp_path):
    store = begin(tmp_path / "r.duckdb")
    keep(store, "a.one", LOGITS["a.one"])
    keep(store, "a.two", LOGITS["a.two"], labels=None)
    keep(store, "b.one", LOGITS["b.one"], labels=(LABELS + 1) % CLASSES)
    keep(store, "c.one", LOGITS["c.one"])
    keep(store, "c.one", LOGITS["c.one"], weights="init")
    found = found_in(store)
    assert found.partners.index.tolist() == ["a.one", "c.one"]
    assert found.left_out == 2


def test_a_lost_file_leaves_its_model_out(store):
    row = next(row for row in store.kept_arrays() if row.model == "b.one")
    store.arrays.drop([row.file])
    found = found_in(store)
    assert "b.one" not in found.partners.index
    assert found.left_out == 1


@pytest.mark.parametrize("reason", ["none kept", "one", "no labels", "crops", "few images"])
def test_where_there_are_none_it_says_how_to_get_them(tmp_path, reason):
    store = begin(tmp_path / "r.duckdb", '{"crops": 2}' if reason == "crops" else "{}")
    few = slice(0, 10) if reason == "few images" else slice(None)
    labels = None if reason == "no labels" else LABELS[few]
    for name in list(MODELS)[: 1 if reason == "one" else None]:
        keep(store, name, LOGITS[name][few], labels=labels)
    if reason == "none kept":
        store.forget_arrays([row.file for row in store.kept_arrays()])
    found = found_in(store)
    assert "zoo-eval run JOB --keep-arrays" in found.why_none
    files = write_report(
        collect(store, {}), tmp_path / "report", predict=False, together=found, most_pages=0
    )
    page = (files.index.parent / "ensembles.html").read_text()
    assert "--keep-arrays" in page
    assert "--keep-arrays" in files.markdown.read_text()
    assert not (files.index.parent / "partners.csv").exists()


def test_the_dataset_of_most_models_counts(tmp_path):
    other = "other@87654321"
    store = begin(tmp_path / "r.duckdb", datasets=(DATASET, other))
    for name in MODELS:
        keep(store, name, LOGITS[name], dataset=other)
    for name in list(MODELS)[:2]:
        keep(store, name, LOGITS[name])
    assert found_in(store).dataset == other


def test_of_too_many_the_most_accurate_count(store, monkeypatch):
    module = importlib.import_module("zoo_eval.report.ensembling")
    monkeypatch.setattr(module, "_MOST_BYTES", 3 * LOGITS["a.one"].nbytes)
    assert found_in(store).partners.index.tolist() == ["a.one", "a.two", "b.one"]
    monkeypatch.setattr(module, "MOST_MODELS", 2)
    assert found_in(store, "toy_top1").partners.index.tolist() == ["a.one", "a.two"]


def test_the_report_has_a_page_tables_and_files(store, tmp_path):
    found = found_in(store)
    files = write_report(collect(store, {}), tmp_path / "report", predict=False, together=found)
    folder = files.index.parent
    page = (folder / "ensembles.html").read_text()
    for name, line in found.partners.iterrows():
        assert f"models/{name}.html" in page
        card = (folder / "models" / f"{name}.html").read_text()
        assert f'href="../models/{line["partner"]}.html"' in card
        assert "What do they gain over the better one?" in card
        assert 'href="../ensembles.html"' in card
    text = files.markdown.read_text()
    assert "| weighted families |" in text
    assert "chosen on 120 of its images" in text
    lines = (folder / "partners.csv").read_text().splitlines()
    assert lines[0].startswith("model,partner,accuracy,accuracy_partner,together")
    assert len(lines) == 5
    assert len((folder / "families.csv").read_text().splitlines()) == 4


def test_a_gain_is_called_sure_only_if_its_interval_is_above_zero(store):
    from zoo_eval.report.ensemble_text import verdict

    found = found_in(store)
    last = found.averages.index[-1]
    for low, words in ((0.01, "Together they are better"), (-0.01, "are not surely better")):
        averages = found.averages.copy()
        averages.loc[last, "low"] = low
        assert words in verdict(replace(found, averages=averages))
