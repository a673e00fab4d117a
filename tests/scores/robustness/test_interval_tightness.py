import copy
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from zoo_eval.conformance.networks import build
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.interval_radii import radii
from zoo_eval.scores.robustness.interval_tightness import interval_tightness


def images(n=6, size=6, channels=2):
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(0))


def mlp(*widths):
    layers = [nn.Flatten()]
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def test_products_of_matrices():
    torch.manual_seed(0)
    model, batch = mlp(72, 12, 9, 5), images()
    w1, w2, w3 = (layer.weight.detach().double().numpy() for layer in model[1::2])
    expected = []
    for image in batch:
        x = model[1](image[None].flatten(1))
        on1 = np.diag((x[0] > 0).numpy().astype(float))
        x = model[3](x.relu())
        on2 = np.diag((x[0] > 0).numpy().astype(float))
        first, second = model[5](x.relu())[0].topk(2).indices
        c = w3[first] - w3[second]
        exact = np.abs(c @ on2 @ w2 @ on1 @ w1).sum()
        bound = (np.abs(c) @ on2 @ np.abs(w2) @ on1 @ np.abs(w1)).sum()
        expected.append(math.log10(exact / bound))
    assert min(expected) < -0.3
    assert interval_tightness(model, batch) == pytest.approx(np.mean(expected), rel=1e-9)


def residual():
    torch.manual_seed(1)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(2, 4, 3, padding=1)
            self.conv = nn.Conv2d(4, 4, 3, padding=1, groups=2)
            self.norm = nn.BatchNorm2d(4)
            self.head = nn.Linear(4, 3)
            with torch.no_grad():
                self.norm.weight.uniform_(-2, 2)
                self.norm.running_var.uniform_(0.5, 2)
                self.norm.running_mean.normal_()

        def forward(self, x):
            x = F.max_pool2d(F.relu(self.stem(x), inplace=True), 2)
            y = self.norm(self.conv(x))
            x = x - 0.5 * y
            x += 1
            return self.head(F.adaptive_avg_pool2d(F.leaky_relu(x, 0.1), 1).flatten(1))

    return Network().eval()


def test_intervals_pushed_forward_through_a_residual_network():
    # Radii of centred boxes, layer by layer, forwards: another way to the same sums.
    model, batch = residual(), images()
    plain, positive = copy.deepcopy(model).double(), copy.deepcopy(model).double()
    found = radii(model, batch)
    for place, image in enumerate(batch.double()):
        with torch.no_grad():
            value = plain.stem(image[None])
            radius = F.conv2d(torch.ones_like(image[None]), plain.stem.weight.abs(), padding=1)
            value, radius = value.relu(), radius * (value > 0)
            value, chosen = F.max_pool2d(value, 2, return_indices=True)
            radius = radius.flatten(2).gather(2, chosen.flatten(2)).view_as(value)
            scale = (plain.norm.weight / (plain.norm.running_var + 1e-5).sqrt()).view(1, -1, 1, 1)
            branch = F.conv2d(radius, plain.conv.weight.abs(), padding=1, groups=2) * scale.abs()
            value = value - 0.5 * plain.norm(plain.conv(value)) + 1
            radius = (radius + 0.5 * branch) * torch.where(value > 0, 1.0, 0.1)
            pooled = F.leaky_relu(value, 0.1).mean(dim=(2, 3))
            first, second = plain.head(pooled)[0].topk(2).indices
            c = (plain.head.weight[first] - plain.head.weight[second]).abs()
            assert float(found.bound[place]) == pytest.approx(
                float(radius.mean(dim=(2, 3))[0] @ c), rel=1e-9
            )
    assert (found.exact < found.bound).all()
    del positive


def test_the_exact_radius_by_finite_differences():
    model, batch = residual().double(), images(n=1).double()
    logits = model(batch)[0]
    first, second = logits.topk(2).indices
    step = 1e-6 * torch.eye(batch.numel(), dtype=torch.float64).view(-1, *batch.shape[1:])
    with torch.no_grad():
        moved = (model(batch + step) - model(batch - step)) / 2e-6
    expected = (moved[:, first] - moved[:, second]).abs().sum()
    assert float(radii(model, batch).exact[0]) == pytest.approx(float(expected), rel=1e-4)


def test_nothing_is_lost_without_negative_weights():
    torch.manual_seed(0)
    model, batch = mlp(72, 12, 5), images().abs()
    with torch.no_grad():
        for layer in model[1::2]:
            layer.weight.abs_()
        model[3].weight[1] *= 10  # always first, and above the others weight by weight
        model[3].weight[1] += 10
    assert interval_tightness(model, batch) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("width", "expected"), [(4, 0.589), (16, 0.308), (64, 0.156)])
def test_two_linear_layers_of_normal_weights(width, expected):
    closed = math.sqrt(math.pi) * math.gamma((width + 1) / 2) / (width * math.gamma(width / 2))
    assert closed == pytest.approx(expected, abs=6e-4)
    exact, bound = 0.0, 0.0
    for seed in range(40):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Linear(72, width), nn.Linear(width, 2))
        for layer in model[1:]:
            nn.init.normal_(layer.weight)
        found = radii(model, images(n=1))
        exact, bound = exact + float(found.exact), bound + float(found.bound)
    assert exact / bound == pytest.approx(closed, rel=0.1)  # of 40 draws


def test_unchanged_by_the_scale_of_layers():
    model = residual()
    before = interval_tightness(model, images())
    with torch.no_grad():
        model.stem.weight.mul_(3)
        model.stem.bias.mul_(3)
        model.norm.running_mean.mul_(3)
        model.norm.running_var.mul_(9).add_(8e-5)  # and ε with it
        model.norm.weight.mul_(3)
        model.norm.bias.mul_(3)
        model.head.weight.mul_(1e-3)
    after = interval_tightness(model, images())
    assert after == pytest.approx(before, abs=0.05)  # the constant 1 is not scaled


def test_heads_that_are_averaged_are_bounded_one_by_one():
    model, batch = build("two_heads"), torch.randn(3, 3, 8, 8)
    found = radii(model, batch)
    assert (found.exact < found.bound).all()


def test_other_operations_are_named():
    with pytest.raises(ScoreUndefinedError, match="applies 'layer_norm' to what depends"):
        interval_tightness(build("tokens"), torch.randn(2, 3, 8, 8))
    gated = nn.Sequential(nn.Flatten(), nn.Linear(72, 3), nn.Sigmoid())
    with pytest.raises(ScoreUndefinedError, match="'sigmoid'"):
        interval_tightness(gated, images())


def test_a_constant_network_has_none():
    model = mlp(72, 4, 3)
    nn.init.zeros_(model[1].weight)
    with pytest.raises(ScoreUndefinedError, match="radii of 6 of 6 margins are zero"):
        interval_tightness(model, images())
