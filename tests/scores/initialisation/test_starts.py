"""What a run takes for the start of a network."""

import numpy as np
import pytest
import torch
from torch import nn

import zoo_eval
from zoo_eval.datasets import load_dataset
from zoo_eval.executors.resources import GB, Capacity, need_of
from zoo_eval.executors.task import Task
from zoo_eval.givens import givens_of
from zoo_eval.job import Job
from zoo_eval.job.schema import ResourcesTable
from zoo_eval.models.build import build_model
from zoo_eval.plan import make_plan
from zoo_eval.quantities.module_state import weight_tensors
from zoo_eval.settings import Settings

SETTINGS = Settings(
    "cpu", 64, 0.0, "fp32", "fp32", probe_n=10, probe_seed=0, probe_source="dataset"
)
SCORES = '"weight_change", "sign_change", "representation_alignment", "kernel_alignment"'


def job_of(folder, scores=SCORES):
    path = folder / "job.toml"
    path.write_text(
        f'manifest = "fashion"\nscores = [{scores}]\n[evaluation]\nbatch_size = 64\n'
        '[dataset]\nsource = "fashion"\nimages_per_class = 2\n[probe]\nimages = 10\n'
    )
    return Job.load(path)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return job_of(tmp_path_factory.mktemp("start"))


@pytest.fixture(scope="module")
def unit(job):
    units = make_plan(job, "x@1", set()).units
    return next(unit for unit in units if unit.line.model == "resnet10t.w8_e6")


def flat(model):
    return torch.cat([weight.detach().flatten() for _, weight in weight_tensors(model)])


def test_the_seed_of_the_manifest_leads_to_the_true_start(job, unit):
    found = givens_of(unit, load_dataset(job.dataset), SETTINGS, {"model", "initial_model"})
    now, start = flat(found["model"]), flat(found["initial_model"])
    other = flat(build_model(unit.line, "init", 0))
    n = len(now)
    # Of unrelated networks a correlation is 0 ± 1 / √n.
    assert torch.corrcoef(torch.stack([now, other]))[0, 1].abs() < 5 / np.sqrt(n)
    assert torch.corrcoef(torch.stack([now, start]))[0, 1] > 0.3
    assert torch.equal(now, flat(build_model(unit.line, "pretrained", 0)))


def test_batch_norm_of_the_start_is_calibrated_and_that_of_the_network_is_not(job, unit):
    found = givens_of(unit, load_dataset(job.dataset), SETTINGS, {"model", "initial_model"})
    stored = build_model(unit.line, "pretrained", 0)
    for trained, start, own in zip(
        *(
            [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
            for network in (found["model"], found["initial_model"], stored)
        ),
        strict=True,
    ):
        assert torch.equal(trained.running_var, own.running_var)
        assert (start.running_var != 1).all()
        assert not start.training


def test_another_seed_in_the_manifest_is_another_value(tmp_path):
    def fingerprints(job):
        [unit] = make_plan(job, "x@1", set()).units
        return {planned.key.score: planned.key.fingerprint for planned in unit.scores}

    columns = "model,family,label_space,image_size,source,seed"
    manifest = f"{columns}\nresnet18.a1_in1k,resnet,imagenet-1k,224,here,{{}}\n"
    own = f'manifest = "m.csv"\nscores = [{SCORES}, "weight_rank"]\ndataset = "fashion"\n'
    found = []
    for seed in (1, 2, 1, ""):
        (tmp_path / "m.csv").write_text(manifest.format(seed))
        (tmp_path / "own.toml").write_text(own)
        found.append(fingerprints(Job.load(tmp_path / "own.toml")))
    one, two, again, none = found
    assert one == again
    for score in one:
        assert (one[score] == two[score]) == (score == "weight_rank")
        assert (one[score] == none[score]) == (score == "weight_rank")


def test_memory_of_a_second_network_is_counted(tmp_path):
    need = []
    for scores in ('"representation_alignment"', '"rankme"'):
        units = make_plan(job_of(tmp_path, scores), "x@1", set()).units
        task = Task(units[0])
        need.append(need_of(task, SETTINGS, ResourcesTable(), Capacity(16, 64 * GB)).memory)
    assert need[0] - need[1] == 4 * units[0].line.cells["params"]


def test_a_run_stores_values_of_all_scores(tmp_path, job):
    store = zoo_eval.Store(tmp_path / "store.duckdb")
    zoo_eval.run(job, store, workers=1, limit=2)
    found = store.scores().pivot(index="model", columns="score", values="value")
    assert len(found) == 2
    assert found.notna().all().all()
    # Their true starts are known: far fewer signs changed than in unrelated networks.
    assert (found["sign_change"] < 0.45).all()
