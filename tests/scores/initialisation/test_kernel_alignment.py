import copy

import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.initialisation.kernel_alignment import kernel_alignment


def network(seed):
    torch.manual_seed(seed)
    layers = (nn.Flatten(), nn.Linear(12, 7), nn.Tanh(), nn.Linear(7, 5))
    return nn.Sequential(*layers).double()


def images(n=6):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(n, 3, 2, 2, dtype=torch.float64, generator=generator)


def kernel(model, batch, signs):
    """By gradients of one image after another; no biases."""
    rows = []
    for image in batch:
        model.zero_grad()
        (model(image[None])[0] @ signs).backward()
        rows.append(torch.cat([model[i].weight.grad.flatten() for i in (1, 3)]))
    return (torch.stack(rows) @ torch.stack(rows).T).numpy()


def test_slow_version():
    now, before, batch = network(0), network(1), images()
    order = np.random.default_rng(3).permutation(5)
    signs = torch.from_numpy(np.array([1.0, -1.0, 1.0, -1.0, 0.0])[order])
    k, k0 = (kernel(copy.deepcopy(model), batch, signs) for model in (now, before))
    expected = np.sum(k * k0) / np.linalg.norm(k) / np.linalg.norm(k0)
    found = kernel_alignment(now, before, batch, seed=3)
    assert found == pytest.approx(expected, rel=1e-12)
    assert 0.3 < found < 0.999


def test_linear_networks_have_one_kernel():
    # f(x) = W x: the kernel is that of the images, whatever W is.
    layers = [nn.Sequential(nn.Flatten(), nn.Linear(12, 4)).double() for _ in range(2)]
    assert kernel_alignment(*layers, images()) == pytest.approx(1, rel=1e-12)


def test_unchanged_by_the_order_of_images_and_the_scale_of_logits():
    now, before, batch = network(0), network(1), images()
    expected = kernel_alignment(now, before, batch)
    found = kernel_alignment(now, before, batch.flip(0))
    assert found == pytest.approx(expected, rel=1e-9)

    class Times(nn.Module):
        def forward(self, x):
            return 1000 * x

    assert kernel_alignment(nn.Sequential(now, Times()), before, batch) == pytest.approx(expected)
    assert kernel_alignment(now, now, batch) == pytest.approx(1, rel=1e-12)


def test_what_all_logits_have_in_common_does_not_count():
    # The mean of an even number of logits has no part in the difference of halves.
    class Common(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.own, self.common = nn.Linear(12, 4), nn.Linear(12, 1)
            self.width = width

        def forward(self, x):
            return self.own(x.flatten(1)) + self.width * self.common(x.flatten(1)).tanh()

    torch.manual_seed(0)
    small = Common(0.0).double()
    large = copy.deepcopy(small)
    large.width = 100.0
    assert kernel_alignment(small, large, images()) == pytest.approx(1, rel=1e-12)


def test_a_kernel_of_zeros_has_no_direction():
    zero = network(0)
    for parameter in zero.parameters():
        nn.init.zeros_(parameter)
    with pytest.raises(ScoreUndefinedError, match="and 0 at the start"):
        kernel_alignment(network(1), zero, images())
