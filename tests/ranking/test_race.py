"""Races of real networks over real images, in real processes."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

import zoo_eval
from zoo_eval import Store
from zoo_eval.datasets import DatasetSpec, load_dataset
from zoo_eval.errors import InputError, RankingError
from zoo_eval.manifest import Manifest
from zoo_eval.ranking.candidates import ModelLimits
from zoo_eval.ranking.evidence import evidence_of
from zoo_eval.ranking.progress import ProgressFile, RaceProgress
from zoo_eval.ranking.watcher import Watcher


class Notes(Watcher):
    """Writes down what it is told, and interrupts after so many networks."""

    def __init__(self, interrupt_after: float = math.inf) -> None:
        self.plan, self.rounds, self.evaluated_, self._after = None, [], [], interrupt_after

    def planned(self, plan):
        self.plan = plan

    def begins(self, number, prepared, without_time):
        self.rounds.append((number, len(prepared.plan.units), without_time))

    def evaluated(self, ended):
        self.evaluated_.append(ended.outcome.attempt.model)
        if len(self.evaluated_) >= self._after:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    return Store(tmp_path_factory.mktemp("race") / "race.duckdb")


@pytest.fixture(scope="module")
def watcher() -> Notes:
    return Notes()


@pytest.fixture(scope="module")
def progress(store) -> Path:
    return store.path.with_name("progress.json")


@pytest.fixture(scope="module")
def ranking(clothes, zoo, store, watcher, progress):
    """Two are wanted of four."""
    told = ProgressFile(progress, "60 images", watcher)
    return zoo_eval.rank(clothes, manifest=zoo, top=2, store=store, workers=1, watcher=told)


def test_the_plan_comes_first(ranking, watcher):
    plan = watcher.plan
    assert (plan.n_networks, plan.n_classes, plan.n_images) == (4, 3, 60)
    assert [(each.images_per_class, each.n_images) for each in plan.rounds] == [(10, 30), (20, 60)]
    assert 0 < plan.least_seconds < plan.most_seconds
    assert plan.weights_bytes == 0


def test_its_progress_is_kept_for_others_to_read(ranking, progress, watcher):
    kept = TypeAdapter(RaceProgress).validate_json(progress.read_bytes())
    assert (kept.look, kept.plan) == ("60 images", watcher.plan)
    assert [round_.note for round_ in kept.rounds] == list(ranking.rounds)
    first, last = kept.rounds[0], kept.rounds[-1]
    assert (first.n_images, first.networks, first.stored) == (30, 4, 0)
    assert (first.done, first.failed, first.without_time) == (4, 0, 0)
    assert last.leader == ranking.best.model
    assert [n_units for _, n_units, _ in watcher.rounds] == [each.done for each in kept.rounds]


def test_progress_that_cannot_be_kept_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RankingError, match=r"cannot be kept in .*file/p\.json: .*--progress"):
        ProgressFile(tmp_path / "file" / "p.json", "", Watcher())


def test_the_ranking_is_that_of_the_evidence_of_the_last_round(ranking, store, zoo):
    assert ranking.rounds[0].entered == ranking.rounds[0].evaluated == 4
    last = [row for row in ranking.rows if row.rounds == len(ranking.rounds)]
    kept = {(row.model, row.dataset): row for row in store.kept_arrays()}
    dataset = load_dataset(DatasetSpec(ranking.source))
    assert dataset.label == ranking.dataset
    labels = np.array(dataset.labels)
    likelihoods = []
    for row in last:
        embeddings = store.arrays.read(kept[row.model, ranking.dataset]).embeddings
        found = evidence_of(embeddings, labels, 3)
        likelihoods.append(found.log_likelihood.mean())
        assert row.accuracy == pytest.approx(row.scores["ridge_probe_accuracy"])
        assert row.accuracy_low < row.accuracy < row.accuracy_high or row.accuracy == 1
    assert likelihoods == sorted(likelihoods, reverse=True)
    assert f"timm.create_model(\n    {last[0].model.partition('.')[0]!r}," in ranking.snippet
    assert [row.place for row in ranking.rows] == list(range(1, len(ranking.rows) + 1))
    assert {row.model for row in ranking.rows} == {line.model for line in Manifest.load(zoo)}


def test_chances_groups_and_fronts(ranking):
    last = [row for row in ranking.rows if row.rounds == len(ranking.rounds)]
    assert sum(row.chance_top or 0 for row in last) == pytest.approx(2)
    assert last[0].group == 1
    best = max(row.accuracy for row in ranking.rows)
    assert any(row.pareto_params and row.accuracy == best for row in ranking.rows)
    assert all(row.images_per_second > 0 for row in ranking.rows)


def test_the_plain_choice_is_the_largest_where_nothing_is_published(ranking):
    plain = ranking.plain_choice
    assert (plain.model, plain.by) == ("test_byobnet.s3", "params")
    row = next(row for row in ranking.rows if row.model == plain.model)
    assert (plain.place, plain.accuracy) == (row.place, row.accuracy)


def test_it_is_json_and_a_frame(ranking):
    found = json.loads(ranking.to_json())
    assert found["labelled"] is True
    assert found["rows"][0]["model"] == ranking.best.model
    frame = ranking.to_frame()
    assert frame["model"].tolist() == [row.model for row in ranking.rows]
    assert frame["knn_accuracy"].notna().all()


def test_the_same_race_again_computes_nothing(ranking, clothes, zoo, store):
    again = Notes()
    attempts = len(store.attempts())
    found = zoo_eval.rank(clothes, manifest=zoo, top=2, store=store, workers=1, watcher=again)
    assert [n_units for _, n_units, _ in again.rounds] == [0] * len(ranking.rounds)
    assert len(store.attempts()) == attempts
    assert found.rows == ranking.rows
    assert found.ended == ranking.ended


def test_embeddings_that_are_lost_are_computed_again(ranking, clothes, zoo, store):
    row = next(r for r in store.kept_arrays() if r.dataset == ranking.dataset)
    folder = store.path.with_name("race.arrays")
    (folder / row.file).write_bytes(b"cut short")
    again = Notes()
    found = zoo_eval.rank(clothes, manifest=zoo, top=2, store=store, workers=1, watcher=again)
    assert again.evaluated_ == [row.model]
    assert [r.model for r in found.rows] == [r.model for r in ranking.rows]


def test_an_interrupted_race_goes_on(ranking, clothes, zoo, fresh_store):
    own = fresh_store
    with pytest.raises(KeyboardInterrupt):
        zoo_eval.rank(
            clothes, manifest=zoo, top=2, store=own, workers=1, watcher=Notes(interrupt_after=2)
        )
    stored = set(own.scores()["model"])
    assert len(stored) >= 2
    rest = Notes()
    found = zoo_eval.rank(clothes, manifest=zoo, top=2, store=own, workers=1, watcher=rest)
    assert rest.rounds[0][1] == 4 - len(stored)
    assert [row.model for row in found.rows] == [row.model for row in ranking.rows]


def test_without_time_for_any_network_it_says_so(ranking, clothes, zoo, fresh_store):
    with pytest.raises(RankingError, match="No network could be evaluated within the budget"):
        zoo_eval.rank(clothes, manifest=zoo, budget_s=0.01, store=fresh_store, workers=1)


def test_what_is_stored_is_ranked_without_time(ranking, clothes, zoo, store):
    """A budget that is used up before the second round leaves the first."""
    found = zoo_eval.rank(clothes, manifest=zoo, top=2, store=store, workers=1, budget_s=0.01)
    assert len(found.rows) == 4  # all is stored, so no time is needed


def test_limits_leave_out_by_name(clothes, zoo, store):
    found = zoo_eval.rank(
        clothes, manifest=zoo, limits=ModelLimits(max_params=100_001), store=store, workers=1
    )
    assert {row.model for row in found.rows} == {"test_resnet.s0", "test_convnext.s1"}
    assert {each.model for each in found.left_out} == {"test_efficientnet.s2", "test_byobnet.s3"}
    assert {each.why for each in found.left_out} == {"limits"}


def test_a_network_that_fails_is_left_out_with_its_reason(
    ranking, clothes, zoo, fresh_store, tmp_path
):
    broken = tmp_path / "zoo"
    shutil.copytree(zoo.parent, broken)
    (broken / "test_convnext.s1.safetensors").write_bytes(b"damaged")
    found = zoo_eval.rank(clothes, manifest=broken / "manifest.csv", store=fresh_store, workers=1)
    assert [(each.model, each.why) for each in found.left_out] == [("test_convnext.s1", "failed")]
    assert "load" in found.left_out[0].reason
    assert len(found.rows) == 3


def test_at_least_one_network_must_be_wanted(clothes, zoo):
    with pytest.raises(InputError, match="top = 0"):
        zoo_eval.rank(clothes, manifest=zoo, top=0)
