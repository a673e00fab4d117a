import hashlib
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from tests.zoo import write_job, write_zoo
from zoo_eval.datasets import Dataset, load_dataset
from zoo_eval.datasets.label_spaces import head_classes
from zoo_eval.errors import DownloadError, ModelError, ScoreUndefinedError
from zoo_eval.evaluate import evaluate
from zoo_eval.failures import failure_of
from zoo_eval.givens import choose_device, givens_of
from zoo_eval.job import Job
from zoo_eval.models.build import build_model
from zoo_eval.plan import Unit, digest_of, make_plan
from zoo_eval.quantities import closure
from zoo_eval.settings import Settings

SETTINGS = Settings(
    "cpu", 64, 0.0, "fp32", "fp32", probe_n=10, probe_seed=0, probe_source="dataset"
)
SCORES = '["params", "dse", "logme", "dsmi_images", "grad_norm", "naswot"]'


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Job:
    folder = tmp_path_factory.mktemp("zoo")
    return Job.load(write_job(folder, write_zoo(folder, 2), scores=SCORES))


@pytest.fixture(scope="module")
def dataset(job) -> Dataset:
    return load_dataset(job.dataset)


def units(job: Job, dataset: Dataset) -> dict[tuple[str, str], Unit]:
    plan = make_plan(job, dataset.label, set())
    return {(unit.line.model, unit.weights): unit for unit in plan.units}


def needed(unit: Unit) -> frozenset[str]:
    return closure(need for planned in unit.scores for need in planned.request.score.needs)


def givens(unit: Unit, dataset: Dataset, settings: Settings = SETTINGS) -> dict:
    return givens_of(unit, dataset, settings, needed(unit))


def test_a_unit_gives_every_score_and_an_attempt(job, dataset):
    outcome = evaluate(units(job, dataset)["test_resnet.s0", "pretrained"], dataset, SETTINGS, {})
    assert [row.key.score for row in outcome.scores] == ["params", "dse", "logme", "dsmi_images"]
    assert all(row.value is not None and math.isfinite(row.value) for row in outcome.scores)
    assert all(row.seconds > 0 for row in outcome.scores)
    assert (outcome.attempt.outcome, outcome.attempt.device) == ("ok", "cpu")
    assert outcome.trust is not None


def test_quantities_of_the_dataset_are_computed_once_for_all_models(job, dataset):
    shared, kept = {}, []
    for (_, weights), unit in units(job, dataset).items():
        if weights == "pretrained":
            evaluate(unit, dataset, SETTINGS, shared)
            kept.append(shared["image_clusters"])
    assert list(shared) == ["image_clusters"]
    assert len(kept) == 2
    assert kept[0] is kept[1]


def test_probes_are_balanced_and_the_same_images_for_every_model(job, dataset):
    found = [givens(unit, dataset) for (_, w), unit in units(job, dataset).items() if w == "init"]
    torch.testing.assert_close(found[0]["probe_images"], found[1]["probe_images"])
    assert Counter(found[0]["probe_labels"].tolist()) == {label: 1 for label in range(10)}


def test_noise_probes_depend_on_no_dataset(job, dataset):
    unit = units(job, dataset)["test_resnet.s0", "init"]
    noise = replace(SETTINGS, probe_source="noise")
    images = givens(unit, dataset, noise)["probe_images"]
    assert images.shape == (10, 3, 32, 32)
    assert images.mean().item() == pytest.approx(0, abs=0.05)
    assert images.std().item() == pytest.approx(1, abs=0.05)
    other = load_dataset(replace(job.dataset, seed=7))
    torch.testing.assert_close(givens(unit, other, noise)["probe_images"], images)


def test_initial_networks_are_calibrated_on_the_probe_images(job, dataset):
    found = givens(units(job, dataset)["test_resnet.s0", "init"], dataset)
    network, images = found["model"], found["probe_images"]
    assert not network.training
    first = next(m for m in network.modules() if isinstance(m, nn.BatchNorm2d))
    seen = []
    handle = first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network(images)
    handle.remove()
    torch.testing.assert_close(first.running_mean, seen[0].mean(dim=(0, 2, 3)))
    torch.testing.assert_close(first.running_var, seen[0].var(dim=(0, 2, 3)))


def test_pretrained_networks_are_left_as_they_are(job, dataset):
    unit = units(job, dataset)["test_resnet.s0", "pretrained"]
    network = givens(unit, dataset)["model"]
    as_stored = build_model(unit.line, "pretrained", 0).state_dict()
    for name, value in network.state_dict().items():
        assert torch.equal(value, as_stored[name]), name


def test_one_score_that_fails_does_not_lose_the_others(job, dataset, monkeypatch):
    unit = units(job, dataset)["test_resnet.s0", "pretrained"]

    def broken(*_, **__):
        raise ZeroDivisionError("a bug in a score")

    dse = next(p.request.score for p in unit.scores if p.key.score == "dse")
    monkeypatch.setattr(dse, "function", broken)
    outcome = evaluate(unit, dataset, SETTINGS, {})
    assert [row.key.score for row in outcome.scores] == ["params", "logme", "dsmi_images"]
    assert (outcome.attempt.outcome, outcome.attempt.error_type) == ("error", "ZeroDivisionError")
    assert outcome.attempt.message == "dse: a bug in a score"
    assert "in broken" in outcome.attempt.traceback


def test_an_undefined_score_is_a_row_with_its_reason(job, dataset, monkeypatch):
    unit = units(job, dataset)["test_resnet.s0", "pretrained"]

    def undefined(*_, **__):
        raise ScoreUndefinedError("no such thing here")

    dse = next(p.request.score for p in unit.scores if p.key.score == "dse")
    monkeypatch.setattr(dse, "function", undefined)
    outcome = evaluate(unit, dataset, SETTINGS, {})
    row = next(row for row in outcome.scores if row.key.score == "dse")
    assert (row.value, row.undefined_because) == (None, "no such thing here")
    assert outcome.attempt.outcome == "ok"


def test_bfloat16_is_for_the_pass_over_the_dataset_and_not_for_gradients(job, dataset):
    both = {}
    for precision in ("fp32", "bf16"):
        settings = replace(SETTINGS, precision=precision)
        found = [evaluate(unit, dataset, settings, {}) for unit in units(job, dataset).values()]
        both[precision] = {row.key: row for outcome in found for row in outcome.scores}
    assert both["fp32"].keys() == both["bf16"].keys()
    for key, row in both["fp32"].items():
        half = both["bf16"][key]
        passes = key.score in ("dse", "logme", "dsmi_images", "knn_accuracy")
        assert (row.precision, half.precision) == ("fp32", "bf16" if passes else "fp32")
        if passes:
            assert half.value != row.value
            assert half.value == pytest.approx(row.value, rel=0.05, abs=0.05)
        else:
            assert half.value == row.value


def test_without_a_batch_size_a_network_gets_what_the_working_set_holds(job, dataset):
    unit = units(job, dataset)["test_resnet.s0", "pretrained"]
    sizes = [
        [len(batch) for batch in givens(unit, dataset, replace(SETTINGS, **own))["images"]]
        for own in ({"batch_size": 20}, {"batch_size": None, "working_set": 1e5})
    ]
    assert sizes[0] == [20, 20, 20]
    assert sum(sizes[1]) == 60
    assert set(sizes[1][:-1]) < {1, 2, 4, 8, 16}


def test_a_network_that_cannot_be_built_is_an_attempt(job, dataset):
    unit = units(job, dataset)["test_resnet.s0", "pretrained"]
    broken = replace(unit, line=replace(unit.line, weights_file="nosuch.safetensors"))
    outcome = evaluate(broken, dataset, SETTINGS, {})
    assert (outcome.scores, outcome.attempt.outcome) == ((), "load")
    assert "nosuch.safetensors is missing" in outcome.attempt.message


def test_labels_as_the_head_counts_them(job, dataset):
    unit = units(job, dataset)["test_resnet.s0", "pretrained"]
    head_labels = givens_of(unit, dataset, SETTINGS, {"head_labels"})["head_labels"]
    outputs = head_classes("fashion-mnist")
    named = [dataset.classes[label] for label in dataset.labels]
    assert [outputs[label] for label in head_labels] == named
    other = replace(unit, line=replace(unit.line, label_space="imagenet-1k"))
    assert givens_of(other, dataset, SETTINGS, {"head_labels"})["head_labels"] is None


def test_labels_keep_the_order_of_the_images(job, dataset):
    found = givens(units(job, dataset)["test_resnet.s0", "pretrained"], dataset)
    np.testing.assert_array_equal(found["labels"], np.repeat(np.arange(10), 6))
    assert sum(len(batch) for batch in found["images"]) == 60


@pytest.mark.parametrize("name", ["warp", "cuda:99"])
def test_a_device_that_is_not_there(name):
    with pytest.raises(ModelError, match=f"The device '{name}' cannot be used"):
        choose_device(name)


def test_a_network_whose_outputs_are_nan_still_gives_what_needs_no_pass(tmp_path):
    manifest = write_zoo(tmp_path, 1)
    file = tmp_path / "test_resnet.s0.safetensors"
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    state = load_file(file)
    first = next(tensor for tensor in state.values() if tensor.is_floating_point())
    first *= math.nan
    save_file(state, file)
    after = hashlib.sha256(file.read_bytes()).hexdigest()
    manifest.write_text(manifest.read_text().replace(before, after))
    loaded = Job.load(write_job(tmp_path, manifest, scores=SCORES))
    images = load_dataset(loaded.dataset)
    unit = units(loaded, images)["test_resnet.s0", "pretrained"]
    outcome = evaluate(unit, images, SETTINGS, {})
    assert outcome.attempt.outcome == "nan", outcome.attempt.traceback
    assert "of 60 of 60 images are NaN or infinite" in outcome.attempt.message
    assert [row.key.score for row in outcome.scores] == ["params"]
    assert outcome.attempt.missing == digest_of(k for k in unit.keys if k.score != "params")
    assert outcome.trust is None


def test_failures_of_memory_are_told_from_others():
    with pytest.raises(RuntimeError) as of_torch:
        torch.empty(10**15)
    with pytest.raises(MemoryError) as of_numpy:
        np.empty(10**15)
    assert failure_of(of_torch.value) == failure_of(of_numpy.value) == "out_of_memory"
    assert failure_of(torch.OutOfMemoryError("CUDA out of memory.")) == "out_of_memory"
    wrapped = ModelError("cannot be built")
    wrapped.__cause__ = of_torch.value
    assert failure_of(wrapped) == "out_of_memory"
    assert failure_of(ModelError("cannot be built")) == "load"
    assert failure_of(DownloadError("busy", heals=True)) == "download"
    assert failure_of(DownloadError("no")) == "load"
    assert failure_of(RuntimeError("shapes do not fit")) == "error"
