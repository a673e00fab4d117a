import math

import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.conformance.networks import build, givens
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.forward import forward_pass
from zoo_eval.transforms.spiking import SPIKING, spikes, threshold_of


@pytest.mark.parametrize("n_steps", [1, 3, 10])
@pytest.mark.parametrize("current", [-0.5, 0.0, 0.3, 0.5, 1.0, 1.7])
def test_constant_current(current, n_steps):
    # n spikes need a potential above n: the count is the largest n < T · I, and T at most.
    currents = torch.full((n_steps, 1), current, dtype=torch.float64)
    n_spikes = int((spikes(currents, 1.0) > 0).sum())
    assert n_spikes == max(0, min(n_steps, math.ceil(round(n_steps * current, 9)) - 1))


def test_the_rate_tends_to_a_clipped_relu():
    x = torch.linspace(-2, 5, 50, dtype=torch.float64)
    rate = spikes(x.repeat(4000, 1), 3.0).mean(dim=0)
    torch.testing.assert_close(rate, x.clamp(0, 3), rtol=0, atol=3 / 2000)


def test_neurons_one_by_one():
    rng = np.random.default_rng(0)
    currents, threshold = rng.standard_normal((6, 20)), 0.8
    expected = np.zeros_like(currents)
    for neuron in range(20):
        potential = 0.0
        for step in range(6):
            potential += currents[step, neuron]
            if potential > threshold:
                expected[step, neuron] = threshold
                potential -= threshold
    found = spikes(torch.from_numpy(currents), threshold)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_thresholds():
    values = torch.arange(101, dtype=torch.float32)[torch.randperm(101)].view(1, 101)
    assert threshold_of(values) == 90
    assert threshold_of(values, percentile=100.0) == 100
    assert threshold_of(-values) == 0.1


class Small(nn.Module):
    """Two layers of ReLU, a mean over positions, a linear head."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 5, 3), nn.Linear(5, 4)
        self.act = nn.ReLU(inplace=True)  # called twice

    def forward_features(self, x):
        return self.act(self.b(self.act(self.a(x))))

    def forward_head(self, x, pre_logits=False):
        x = x.mean(dim=(2, 3))
        return x if pre_logits else self.head(x)


def test_equals_running_the_network_step_by_step():
    torch.manual_seed(0)
    model, images, n_steps = Small(), torch.randn(8, 3, 8, 8), 4
    with torch.no_grad():
        currents = model.a(images).repeat(n_steps, 1, 1, 1, 1)
        first = spikes(currents, threshold_of(currents))
        second = torch.stack([model.b(step) for step in first])
        rates = spikes(second, threshold_of(second)).mean(dim=0)
        expected = model.forward_head(rates)
    with SPIKING.at(model, [images[:5], images[5:]], 4.0).transformed as seen:
        found = forward_pass(model, seen)
    np.testing.assert_allclose(found.logits, expected, rtol=1e-4, atol=1e-6)


def test_values_do_not_depend_on_the_size_of_batches():
    torch.manual_seed(0)
    model, images = Small(), torch.randn(9, 3, 8, 8)
    found = []
    for size in (1, 4, 9):
        with SPIKING.at(model, list(images.split(size)), 2.0).transformed as seen:
            found.append(forward_pass(model, seen).logits)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-4, atol=1e-5)


def test_only_relu():
    given = givens(build("tokens"))
    with pytest.raises(ScoreUndefinedError, match="activation modules of _Network are GELU"):
        SPIKING.at(given["model"], given["images"], 1.0)
    with pytest.raises(ScoreUndefinedError, match="are none"):
        SPIKING.at(nn.Linear(2, 2), given["images"], 1.0)
