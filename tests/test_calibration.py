import pytest
import torch
from torch import nn

from zoo_eval import calibration
from zoo_eval.calibration import batch_size, machine
from zoo_eval.executors.measured import measured_speedup, measured_working_set
from zoo_eval.quantities.precision import in_precision
from zoo_eval.settings import precision_for
from zoo_eval.store import Store

CPU = torch.device("cpu")
IMAGE = torch.zeros(1, 3, 8, 8)


def network() -> nn.Module:
    """128 outputs of the convolution, 5 of the linear layer: 532 bytes for one image."""
    return nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten(), nn.Linear(128, 5)).eval()


@pytest.mark.parametrize(
    ("working_set", "n"),
    [(0.0, 1), (531.0, 1), (532.0 * 2, 2), (532 * 7.9, 4), (532.0 * 8, 8), (1e12, 512)],
)
def test_a_batch_is_the_power_of_two_that_the_working_set_holds(working_set, n):
    assert batch_size(working_set, network(), IMAGE) == n


@pytest.mark.parametrize(
    ("speeds", "best"),
    [
        # Rises, levels off, and falls when the cache is full.
        ({1: 40.0, 2: 72.0, 4: 120.0, 8: 124.0, 16: 120.0, 32: 80.0}, 16),
        # Never falls: the last whose pass takes no longer than needed is the one.
        ({1: 40.0, 2: 72.0, 4: 100.0, 8: 104.0, 16: 105.0, 32: 106.0}, 32),
        # Rises to the end.
        ({1: 1.0}, 1),
    ],
)
def test_the_working_set_is_that_of_the_largest_batch_that_is_fastest(monkeypatch, speeds, best):
    monkeypatch.setattr(calibration, "_reference", lambda *_: network())
    monkeypatch.setattr(calibration, "_outputs", lambda *_: 1000)
    asked: list[tuple[int, str]] = []

    def images_per_second(_model, n, _device, precision):
        asked.append((n, precision))
        return speeds[n]  # and no larger one is tried, as a pass of the last takes a second

    monkeypatch.setattr(calibration, "_images_per_second", images_per_second)
    threads = torch.get_num_threads()
    assert calibration.working_set(CPU, threads, "bf16") == 4 * best * 1000
    assert asked == [(n, "bf16") for n in speeds]


def test_bfloat16_is_for_machines_where_both_networks_gain(monkeypatch):
    monkeypatch.setattr(calibration, "_reference", lambda name, _: name)
    speeds = {
        (calibration.CONVOLUTIONS, "fp32"): 10.0,
        (calibration.CONVOLUTIONS, "bf16"): 30.0,
        (calibration.ATTENTION, "fp32"): 10.0,
        (calibration.ATTENTION, "bf16"): 15.0,
    }
    monkeypatch.setattr(calibration, "_images_per_second", lambda m, _n, _d, p: speeds[m, p])
    assert calibration.bf16_speedup(CPU, torch.get_num_threads()) == 1.5
    assert [precision_for(speedup) for speedup in (1.5, 1.19, 0.1)] == ["bf16", "fp32", "fp32"]


def test_a_real_measurement_of_a_real_network():
    images_per_second = calibration._images_per_second
    small = calibration._reference("test_resnet", CPU)
    assert images_per_second(small, 2, CPU, "fp32") > 0


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_products_are_made_in_the_precision(precision, dtype):
    with in_precision(precision, CPU):
        assert network()(IMAGE).dtype == dtype
    assert network()(IMAGE).dtype == torch.float32


def test_a_machine_is_its_processor_and_its_threads():
    assert machine(CPU, 2).endswith(f", threads: 2, torch {torch.__version__}")
    assert machine(CPU, 1) != machine(CPU, 2)


def test_what_a_store_knows_is_not_measured_again(tmp_path):
    store = Store(tmp_path / "r.duckdb")
    store.keep_calibration(machine(CPU, 1), "bf16_speedup", 123.0)
    assert measured_speedup(store, "cpu", 1) == 123.0


@pytest.mark.slow
def test_what_a_store_does_not_know_is_measured_and_kept(tmp_path):
    store = Store(tmp_path / "r.duckdb")
    found = measured_working_set(store, "cpu", 1, "fp32")
    assert 1e5 < found < 1e11
    assert store.calibration(machine(CPU, 1), "working_set_fp32") == found
    assert store.calibration(machine(CPU, 1), "working_set_bf16") is None
