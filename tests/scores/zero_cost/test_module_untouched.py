"""No zero-cost score leaves a trace in the network or in the random generators."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.scores import SCORES

NAMES = sorted(name for name, score in SCORES.items() if score.group == "zero_cost")
CALLS = [
    (name, mode)
    for name in NAMES
    for mode in ((None, "paper") if "mode" in SCORES[name].options else (None,))
]


class Fuse(nn.Module):
    """Raises when it is reached for the n-th time."""

    def __init__(self, calls_left):
        super().__init__()
        self.calls_left = calls_left

    def forward(self, x):
        self.calls_left -= 1
        if self.calls_left == 0:
            raise ZeroDivisionError("the fuse")
        return x


def network(calls_left=None):
    """Batch norm, dropout, a frozen part, mixed training flags, old gradients, and a fuse."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Dropout(0.2),
        Fuse(calls_left or 0),
        nn.Conv2d(8, 8, 3),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 4),
    )
    model.train()
    model[1].eval()
    model[0].requires_grad_(False)
    model[9].weight.grad = torch.full((4, 32), 0.25)
    return model


def givens(model, size=8, n=6, n_classes=4):
    generator = torch.Generator().manual_seed(1)
    return {
        "model": model,
        "input_shape": (3, size, size),
        "probe_images": torch.randn(n, 3, size, size, generator=generator),
        "probe_labels": torch.arange(n) % n_classes,
    }


def call(name, mode, **available):
    score = SCORES[name]
    arguments = {given: available[given] for given in score.givens()}
    return score(**arguments, **({} if mode is None else {"mode": mode}))


def snapshot(model):
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {
        "tensors": {
            name: (id(t), t.requires_grad, t.detach().numpy().tobytes())
            for name, t in tensors.items()
        },
        "gradients": {
            name: None if p.grad is None else (id(p.grad), p.grad.numpy().tobytes())
            for name, p in model.named_parameters()
        },
        "flags": [module.training for module in model.modules()],
        "hooks": [
            len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks)
            for m in model.modules()
        ],
        "forwards": ["forward" in vars(module) for module in model.modules()],
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": repr(np.random.get_state()),  # noqa: NPY002  # that it is not used is tested
        "grad_enabled": torch.is_grad_enabled(),
    }


@pytest.mark.parametrize(("name", "mode"), CALLS)
def test_nothing_changes(name, mode):
    model = network()
    available = givens(model)
    images = available["probe_images"].clone()
    before = snapshot(model)
    first = call(name, mode, **available)
    assert np.isfinite(first)
    assert snapshot(model) == before
    assert torch.equal(available["probe_images"], images)
    assert available["probe_images"].grad is None
    torch.manual_seed(99)  # and the value does not depend on the generators
    assert call(name, mode, **available) == first


@pytest.mark.parametrize("calls_left", [1, 2, 3])
@pytest.mark.parametrize(("name", "mode"), CALLS)
def test_nothing_changes_when_the_network_fails_midway(name, mode, calls_left):
    model = network(calls_left)
    before = snapshot(model)
    try:
        call(name, mode, **givens(model))
    except ZeroDivisionError:
        failed = True
    else:
        failed = False
    assert snapshot(model) == before
    runs_the_network = SCORES[name].needs != ("model",)
    assert failed or calls_left > 1 or not runs_the_network


TIMM = ("resnet", "convnext", "vit", "efficientnet", "byobnet", "nfnet")


@pytest.fixture(scope="module")
def timm_networks():
    ensure_torchvision()
    import timm

    models = {}
    for name in TIMM:
        torch.manual_seed(0)
        size = {"img_size": 64} if name == "vit" else {}
        models[name] = timm.create_model(f"test_{name}", num_classes=10, **size).eval()
    return models


@pytest.mark.parametrize("network_name", TIMM)
@pytest.mark.parametrize("name", NAMES)
def test_small_networks_of_timm(timm_networks, name, network_name):
    model = timm_networks[network_name]
    before = copy.deepcopy(model.state_dict())
    try:
        assert np.isfinite(call(name, None, **givens(model, size=64, n=4, n_classes=10)))
    except ScoreUndefinedError as error:
        assert len(str(error)) > 20  # noqa: PT017  # both outcomes are right, NaN is not
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])
