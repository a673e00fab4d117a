import hashlib
import json
from dataclasses import replace
from datetime import datetime

import pytest

from tests.zoo import write_job, write_zoo
from zoo_eval.job import Job
from zoo_eval.plan import Plan, digest_of, make_plan
from zoo_eval.store import Attempt, EmbeddingsRow, Outcome, ScoreKey, ScoreRow, Store


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Job:
    folder = tmp_path_factory.mktemp("zoo")
    return Job.load(write_job(folder, write_zoo(folder, 2)))


def keys(plan: Plan) -> list[ScoreKey]:
    return [planned.key for unit in plan.units for planned in unit.scores]


def test_one_unit_per_network_with_the_scores_meant_for_its_weights(job):
    plan = make_plan(job, "fashion@1", set())
    assert [(u.line.model, u.weights, [p.key.score for p in u.scores]) for u in plan.units] == [
        ("test_resnet.s0", "pretrained", ["params", "dse", "logme", "knn_accuracy"]),
        ("test_resnet.s0", "init", ["grad_norm"]),
        ("test_convnext.s1", "pretrained", ["params", "dse", "logme", "knn_accuracy"]),
        ("test_convnext.s1", "init", ["grad_norm"]),
    ]
    assert (plan.n_models, plan.n_scores_wanted, plan.n_scores_done) == (2, 10, 0)


def test_what_does_not_depend_on_weights_or_images_is_stored_so(job):
    by_score = {k.score: k for k in keys(make_plan(job, "fashion@1", set()))}
    assert (by_score["params"].weights, by_score["params"].dataset) == ("any", "none")
    assert (by_score["dse"].weights, by_score["dse"].dataset) == ("pretrained", "fashion@1")
    assert json.loads(by_score["dse"].options)["bandwidth"] == "sqrt_dim"


def test_the_plan_is_what_the_job_asks_for_minus_what_is_done(job):
    everything = keys(make_plan(job, "fashion@1", set()))
    left = make_plan(job, "fashion@1", set(everything[:-1]))
    assert keys(left) == everything[-1:]
    assert left.n_scores_done == len(everything) - 1
    assert make_plan(job, "fashion@1", set(everything)).units == ()


def test_a_store_leaves_what_a_set_of_its_keys_leaves(job, tmp_path):
    plan = make_plan(job, "fashion@1", set())
    store = Store(tmp_path / "r.duckdb")
    attempt = Attempt("m", "init", 0, datetime(2026, 1, 1), 0.0)
    rows = tuple(ScoreRow(k, 1.0, None, 0.1) for k in keys(plan)[::2])
    store.commit("r", Outcome(attempt, rows))
    left = make_plan(job, "fashion@1", store.done())
    assert left == make_plan(job, "fashion@1", set(keys(plan)[::2]))
    assert keys(left) == keys(plan)[1::2]
    assert (left.n_scores_wanted, left.n_scores_done) == (10, 5)


def test_a_fingerprint_is_the_digest_of_the_settings_as_json(job):
    """Rows are found again by it, so it may never change by itself."""
    unit = make_plan(job, "fashion@1", set()).units[1]
    settings = {
        "arguments": {},
        "preprocessing": vars(unit.preprocessing),
        "probe": [job.probe.model_dump(), "fashion@1"],
        "weights": [unit.line.weights_file, unit.line.weights_sha256],
    }
    text = json.dumps(settings, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert {(p.key.score, p.key.fingerprint) for p in unit.scores} == {("grad_norm", digest)}


def test_another_dataset_is_other_work_but_not_for_what_needs_no_images(job):
    done = set(keys(make_plan(job, "fashion@1", set())))
    left = keys(make_plan(job, "fashion@2", done))
    assert {k.score for k in left} == {"dse", "logme", "knn_accuracy", "grad_norm"}


@pytest.mark.parametrize(
    ("change", "redone"),
    [
        (("weights_sha256", "0" * 64), {"dse", "logme", "knn_accuracy", "grad_norm"}),
        (("image_size", 64), {"dse", "logme", "knn_accuracy", "grad_norm"}),
        (("arguments", {"stem_chs": 8}), {"params", "dse", "logme", "knn_accuracy", "grad_norm"}),
    ],
)
def test_what_changes_the_number_changes_the_key(job, change, redone):
    from dataclasses import replace

    done = set(keys(make_plan(job, "fashion@1", set())))
    lines = tuple(replace(line, **dict([change])) for line in job.manifest.lines)
    changed = replace(job, manifest=replace(job.manifest, lines=lines))
    assert {k.score for k in keys(make_plan(changed, "fashion@1", done))} == redone


def test_another_probe_is_other_work_only_where_it_counts(job):
    from dataclasses import replace

    done = set(keys(make_plan(job, "fashion@1", set())))
    changed = replace(job, probe=job.probe.model_copy(update={"images": 11}))
    assert {k.score for k in keys(make_plan(changed, "fashion@1", done))} == {"grad_norm"}


def test_networks_calibrated_on_other_images_are_other_work(tmp_path):
    scores = '["params", "synflow_bn"]'
    path = write_job(tmp_path, write_zoo(tmp_path, 1), scores=scores)
    job = Job.load(path)
    done = set(keys(make_plan(job, "fashion@1", set())))
    assert {k.score for k in keys(make_plan(job, "fashion@2", done))} == {"synflow_bn"}
    path.write_text(path.read_text() + 'source = "noise"\n')
    noise = Job.load(path)
    done = set(keys(make_plan(noise, "fashion@1", set())))
    assert make_plan(noise, "fashion@2", done).units == ()


def test_bfloat16_is_other_work_only_where_the_dataset_passes_the_network(job):
    done = set(keys(make_plan(job, "fashion@1", set())))
    half = job.in_precision("bf16")
    left = keys(make_plan(half, "fashion@1", done))
    assert {key.score for key in left} == {"dse", "logme", "knn_accuracy"}
    assert make_plan(half, "fashion@1", done | set(left)).units == ()
    assert make_plan(job.in_precision("fp32"), "fashion@1", done).units == ()


def test_gradients_in_bfloat16_are_other_work_for_gradsign_only(tmp_path):
    scores = '["params", "logme", "gradsign", "grad_norm"]'
    plans = []
    for name in ("fp32", "bf16"):
        folder = tmp_path / name
        path = write_job(folder, write_zoo(folder, 1), scores=scores)
        table = f'[evaluation]\ngradient_precision = "{name}"'
        path.write_text(path.read_text().replace("[evaluation]", table))
        plans.append(keys(make_plan(Job.load(path), "fashion@1", set())))
    assert {key.score for key in set(plans[1]) - set(plans[0])} == {"gradsign"}


def test_limit_takes_the_first_models(job):
    assert make_plan(job, "fashion@1", set(), limit=1).n_models == 1


def test_seeds_multiply_initial_weights_only(tmp_path):
    path = write_job(tmp_path, write_zoo(tmp_path, 1), extra="seeds = [0, 1]")
    states = [(u.weights, u.seed) for u in make_plan(Job.load(path), "fashion@1", set()).units]
    assert states == [("pretrained", 0), ("init", 0), ("init", 1)]


def test_noise_probes_need_no_dataset(tmp_path):
    path = write_job(tmp_path, write_zoo(tmp_path, 1))
    path.write_text(path.read_text() + 'source = "noise"\n')
    by_score = {k.score: k for k in keys(make_plan(Job.load(path), "fashion@1", set()))}
    assert by_score["grad_norm"].dataset == "noise"
    assert by_score["dse"].dataset == "fashion@1"


def failed(plan: Plan, place: int, kind: str, *, n_given: int = 0) -> Outcome:
    """A unit that gave its first scores, and failed to give the others."""
    unit = plan.units[place]
    rows = tuple(ScoreRow(key, 1.0, None, 0.1) for key in unit.keys[:n_given])
    noon = datetime(2026, 1, 1, 12)
    missing = digest_of(unit.keys[n_given:])
    attempt = Attempt(*(unit.line.model, unit.weights, unit.seed, noon, 1.0), kind, missing=missing)
    return Outcome(attempt, rows)


def test_what_failed_for_good_is_left_out_as_long_as_it_is_the_same_work(job, tmp_path):
    store = Store(tmp_path / "r.duckdb")
    plan = make_plan(job, "fashion@1", set())
    store.commit("r", failed(plan, 0, "error", n_given=2), failed(plan, 1, "timeout"))
    assert sorted(store.given_up().values()) == ["error", "timeout"]
    again = make_plan(job, "fashion@1", store.done(), given_up=store.given_up().keys())
    assert [(unit.line.model, unit.weights) for unit in again.left_out] == [
        ("test_resnet.s0", "pretrained"),
        ("test_resnet.s0", "init"),
    ]
    assert [unit.line.model for unit in again.units] == ["test_convnext.s1"] * 2
    assert again.only_left_out().units == again.left_out
    # Another dataset is other work, and so may not fail.
    other = make_plan(job, "fashion@2", store.done(), given_up=store.given_up().keys())
    assert ("test_resnet.s0", "pretrained") in {(u.line.model, u.weights) for u in other.units}


def test_the_newest_way_of_failing_counts_and_none_may_heal(job, tmp_path):
    store = Store(tmp_path / "r.duckdb")
    plan = make_plan(job, "fashion@1", set())
    healing = failed(plan, 0, "killed")
    healing = replace(healing, attempt=replace(healing.attempt, missing=None))
    store.commit("r", healing)
    assert store.given_up() == {}
    store.commit("r", failed(plan, 0, "killed"))
    store.commit("r", failed(plan, 0, "load"))
    assert list(store.given_up().values()) == ["load"]


def test_kept_arrays_come_with_their_unit(job):
    units = make_plan(job, "fashion@1", set()).units
    first = units[0].arrays
    row = EmbeddingsRow(*first, "file", 60, 8, 10, "float32", "fp32", 1, "0")
    found = make_plan(job, "fashion@1", set(), kept={first: row}).units
    assert [unit.kept for unit in found] == [row, None, None, None]
    assert len({unit.arrays for unit in units}) == 4
