"""What is tried again, how, and what is written down of it."""

from dataclasses import replace
from datetime import datetime

import pytest

from tests.zoo import write_job, write_zoo
from zoo_eval.executors.process import Loss
from zoo_eval.executors.task import Task, failed_outcome
from zoo_eval.job import Job
from zoo_eval.plan import Unit, digest_of, make_plan
from zoo_eval.relief import LADDER, Relief, next_relief
from zoo_eval.retrying import DOWNLOAD_WAITS_S, Tries
from zoo_eval.settings import Settings
from zoo_eval.store import Attempt, Outcome, ScoreRow

NOON = datetime(2026, 1, 1, 12)
SETTINGS = Settings(
    "cuda", 64, 8e6, "fp32", "fp32", probe_n=10, probe_seed=0, probe_source="dataset"
)


@pytest.fixture(scope="module")
def unit(tmp_path_factory) -> Unit:
    """One network with the scores params, dse, logme and knn_accuracy."""
    folder = tmp_path_factory.mktemp("zoo")
    job = Job.load(write_job(folder, write_zoo(folder, 1)))
    return make_plan(job, "fashion@0", set()).units[0]


def failed(task: Task, kind: str, during: str | None = None, device: str | None = None) -> Outcome:
    outcome = failed_outcome(task, Loss(kind, "SomeError", f"{kind} it was.", during, NOON, 1.0))
    return replace(outcome, attempt=replace(outcome.attempt, device=device))


def good(unit: Unit, *, without: tuple[str, ...] = ()) -> Outcome:
    rows = tuple(ScoreRow(k, 1.0, None, 0.1) for k in unit.keys if k.score not in without)
    given = {row.key for row in rows}
    missing = digest_of(key for key in unit.keys if key not in given)
    return Outcome(Attempt("m", "pretrained", 0, NOON, 1.0, missing=missing), rows)


@pytest.mark.parametrize(
    ("device", "precision", "steps"),
    [
        ("cuda", "fp32", list(LADDER)),
        ("cuda", "bf16", [LADDER[0], Relief(2), Relief(8), Relief(8, cpu=True)]),
        ("cpu", "fp32", [LADDER[0], Relief(2), Relief(8), Relief(8, bf16=True)]),
        (None, "bf16", [LADDER[0], Relief(2), Relief(8)]),
    ],
)
def test_the_ladder_leaves_out_steps_that_change_nothing(device, precision, steps):
    found = [LADDER[0]]
    while (step := next_relief(found[-1], precision=precision, device=device)) is not None:
        found.append(step)
    assert found == steps


def test_each_step_needs_less(unit):
    relieved = [SETTINGS.relieved(step) for step in LADDER]
    assert [s.batch_size for s in relieved] == [64, 32, 8, 8, 8]
    assert [s.working_set for s in relieved] == [8e6, 4e6, 1e6, 1e6, 1e6]
    assert [s.precision for s in relieved] == ["fp32", "fp32", "fp32", "bf16", "fp32"]
    assert [s.device for s in relieved] == ["cuda"] * 4 + ["cpu"]
    assert replace(SETTINGS, batch_size=1).relieved(LADDER[2]).batch_size == 1
    assert [str(step) for step in LADDER] == [
        "",
        "batch size / 2",
        "batch size / 8",
        "batch size / 8, bf16",
        "batch size / 8, on the CPU",
    ]


def test_memory_goes_down_the_ladder_with_what_is_left_of_the_scores(unit):
    tries = Tries("fp32")
    task = tries.task(unit)
    short = good(unit, without=("dse", "logme"))
    short = replace(short, attempt=replace(short.attempt, outcome="out_of_memory", device="cpu"))
    stored, again = tries.settle(task, short)
    assert again is not None
    assert [key.score for key in again.unit.keys] == ["dse", "logme"]
    assert stored.scores == short.scores
    assert stored.attempt.missing is None, "a run that dies now must not count this as final"
    assert tries.task(again.unit).relief == LADDER[1]


@pytest.mark.parametrize("kind", ["timeout", "load", "nan", "error"])
def test_what_does_not_heal_is_final(unit, kind):
    tries = Tries("fp32")
    stored, again = tries.settle(tries.task(unit), failed(Task(unit), kind))
    assert again is None
    assert stored.attempt.missing == digest_of(unit.keys)


def test_a_killed_worker_gets_one_more_chance(unit):
    tries = Tries("fp32")
    first, again = tries.settle(tries.task(unit), failed(Task(unit), "killed", "its start"))
    assert again is not None
    assert (again.unit, again.after_s) == (unit, 0.0)
    assert first.attempt.missing is None
    second, none = tries.settle(tries.task(unit), failed(Task(unit), "killed", "its start"))
    assert none is None
    assert second.attempt.missing == digest_of(unit.keys)


def test_downloads_wait_longer_each_time_and_are_never_given_up_for_good(unit):
    tries = Tries("fp32")
    waits = []
    for _ in range(3):
        stored, again = tries.settle(tries.task(unit), failed(Task(unit), "download"))
        assert stored.attempt.missing is None
        waits.append(again and again.after_s)
    assert waits == [*DOWNLOAD_WAITS_S, None]


def test_the_score_that_did_it_is_left_out_and_written_down(unit):
    tries = Tries("fp32")
    _, again = tries.settle(tries.task(unit), failed(Task(unit), "timeout", "logme"))
    assert again is not None
    assert [key.score for key in again.unit.keys] == ["params", "dse", "knn_accuracy"]
    stored, none = tries.settle(tries.task(again.unit), good(again.unit))
    assert none is None
    assert len(stored.scores) == 3
    assert stored.attempt.outcome == "timeout"
    assert stored.attempt.message == "timeout it was. The other scores were computed without it."
    assert stored.attempt.missing == digest_of(k for k in unit.keys if k.score == "logme")


def test_two_scores_that_do_it(unit):
    tries = Tries("fp32")
    again_unit, culprits = unit, []
    for culprit in ("dse", "dse", "logme"):
        stored, again = tries.settle(
            tries.task(again_unit), failed(Task(again_unit), "killed", culprit)
        )
        assert again is not None
        if again.unit is not again_unit:
            culprits.append(culprit)
        again_unit = again.unit
    assert culprits == ["dse", "logme"]
    stored, none = tries.settle(tries.task(again_unit), good(again_unit))
    assert none is None
    assert [row.key.score for row in stored.scores] == ["params", "knn_accuracy"]
    assert stored.attempt.outcome == "killed"
    assert stored.attempt.missing == digest_of(k for k in unit.keys if k.score in ("dse", "logme"))


def test_a_network_that_does_nothing_else_is_set_aside(unit):
    only = unit.without({key for key in unit.keys if key.score != "logme"})
    tries = Tries("fp32")
    stored, again = tries.settle(tries.task(only), failed(Task(only), "timeout", "logme"))
    assert again is None
    assert stored.attempt.missing == digest_of(only.keys)


def test_digests_are_of_sets_of_keys(unit):
    assert digest_of([]) is None
    assert digest_of(unit.keys) == digest_of(reversed(unit.keys))
    assert len({digest_of(unit.keys[:n]) for n in range(5)}) == 5
