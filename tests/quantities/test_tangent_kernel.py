"""Kernels from parts of the images against the gradients of each image alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from zoo_eval.quantities import tangent_kernel as module
from zoo_eval.quantities.tangent_kernel import tangent_kernel
from zoo_eval.quantities.watched_layers import NotPerImageError


class Tokens(nn.Module):
    """Layer norm of tokens, in windows of which an image has several, and group norm of maps."""

    def __init__(self):
        super().__init__()
        self.maps, self.groups = nn.Conv2d(3, 6, 2), nn.GroupNorm(2, 6)
        self.norm, self.inner = nn.LayerNorm(6), nn.Linear(6, 6, bias=False)
        self.plain, self.head = nn.LayerNorm(6, bias=False), nn.Linear(6, 4)

    def forward(self, x):
        x = self.groups(self.maps(x)).relu()
        windows = x.unflatten(3, (2, 2)).movedim(3, 1).flatten(0, 1)  # 2n × 6 × 4 × 2
        tokens = self.norm(windows.flatten(2).transpose(1, 2))
        tokens = self.plain(F.gelu(self.inner(tokens)))
        return self.head(tokens.unflatten(0, (len(x), 2)).mean(dim=(1, 2)))


class Scaled(Tokens):
    """A weight of no layer: the images' gradients cannot be told apart there."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.full((4,), 0.5))

    def forward(self, x):
        return super().forward(x) * self.weight


class Sums(Tokens):
    """Batch norm without running statistics: images see each other."""

    def __init__(self):
        super().__init__()
        self.norm_of_all = nn.BatchNorm2d(3, track_running_stats=False)

    def forward(self, x):
        return super().forward(self.norm_of_all(x))


def convolutions():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 8, 5, padding=2, groups=8),
        nn.BatchNorm2d(8, affine=False),
        nn.Hardswish(inplace=True),
        nn.Flatten(),
        nn.Linear(200, 4),
    )
    for norm in (model[1], model[4]):
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    nn.init.uniform_(model[1].weight, 0.5, 2)
    return model


def slow(model, images, response):
    rows = []
    for image in images.split(1):
        model.zero_grad()
        response(model(image)).sum().backward()
        named = model.named_parameters()
        rows.append(torch.cat([p.grad.flatten() for name, p in named if "weight" in name]))
    stack = torch.stack(rows)
    return (stack @ stack.T).numpy()


def halves(logits):
    return logits[:, :2].sum(dim=1) - logits[:, 2:].sum(dim=1)


def batch(n):
    return torch.randn(n, 3, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def refuse(*_):
    raise AssertionError("the images did not pass in parts")


@pytest.mark.parametrize("make", [convolutions, Tokens])
@pytest.mark.parametrize("held", [1 << 29, 300])
@pytest.mark.parametrize("n", [2, 7])
def test_in_parts(make, held, n, monkeypatch):
    torch.manual_seed(0)
    model = make().double().eval()
    monkeypatch.setattr(module, "_HELD", held)
    monkeypatch.setattr(module, "_fill_one_by_one", refuse)
    found = tangent_kernel(model, batch(n), halves)
    np.testing.assert_allclose(found, slow(model, batch(n), halves), rtol=1e-10)


@pytest.mark.parametrize("make", [Scaled, Sums])
def test_networks_that_cannot_be_told_apart_pass_one_by_one(make):
    torch.manual_seed(0)
    model = make().double().eval()
    weights = [p for name, p in model.named_parameters() if "weight" in name]
    rows = [weight.new_zeros(7, weight.numel(), requires_grad=False) for weight in weights]
    with pytest.raises(NotPerImageError):
        module._fill_in_parts(rows, model, batch(7), halves, weights)
    found = tangent_kernel(model, batch(7), halves)
    np.testing.assert_allclose(found, slow(model, batch(7), halves), rtol=1e-10)
