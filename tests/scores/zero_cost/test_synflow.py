import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.scores.zero_cost.synflow import synflow


def test_closed_form(layer):
    """One layer: Σ|w|. Two: the flow 1ᵀ|W₂||W₁|1, counted once for each layer."""
    first, second = [[1.0, -2.0, 0.0], [0.0, 3.0, -1.0]], [[-1.0, 4.0]]
    assert synflow(layer(first), (3, 1, 1)) == 7
    model = nn.Sequential(layer(first), layer(second))
    assert synflow(model, (3, 1, 1)) == 2 * (1 * 3 + 4 * 4)


def slow(model, shape):
    """On absolute weights with .backward(), one layer after the other."""
    model = copy.deepcopy(model)
    for tensor in [*model.parameters(), *model.buffers()]:
        tensor.data = tensor.data.abs()
    x = torch.ones(1, *shape, dtype=torch.float64)
    for module in model:
        x = x if isinstance(module, nn.BatchNorm2d) else module(x)
    x.sum().backward()
    weights = [m.weight for m in model if isinstance(m, nn.Conv2d | nn.Linear)]
    return sum(float((w.detach() * w.grad).abs().sum()) for w in weights)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
def test_slow_version(small_cnn, activation):
    model = small_cnn(activation=activation)
    np.testing.assert_allclose(synflow(model, (3, 8, 8)), slow(model, (3, 8, 8)), rtol=1e-12)


@pytest.mark.parametrize(
    ("batch_norm", "reference"), [("bypass", "synflow/eval"), ("keep", "synflow_bn/eval")]
)
def test_published_program(case, batch_norm, reference):
    found = synflow(model=case.model, input_shape=(3, 16, 16), batch_norm=batch_norm)
    # The program works in float64 in both cases, so there is one value.
    value = case.expectations["values"][reference]["value_float64"]
    np.testing.assert_allclose(found, value, rtol=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.booleans(), min_size=8, max_size=8))
def test_signs_of_weights_do_not_matter(small_cnn, signs):
    model = small_cnn()
    expected = synflow(model, (3, 8, 8))
    with torch.no_grad():
        for parameter, flip in zip(model.parameters(), signs, strict=False):
            parameter *= -1 if flip else 1
    np.testing.assert_allclose(synflow(model, (3, 8, 8)), expected, rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.01, 100))
def test_scale_of_one_layer(layer, factor):
    first, second = [[1.0, -2.0, 0.0], [0.0, 3.0, -1.0]], [[-1.0, 4.0]]
    scaled = (np.array(first) * factor).tolist()
    model = nn.Sequential(layer(scaled), layer(second))
    np.testing.assert_allclose(synflow(model, (3, 1, 1)), 38 * factor, rtol=1e-12)


def timm_block(norm):
    """conv, timm's norm with its activation, conv: all weights one, GELU in between."""
    model = nn.Sequential(nn.Conv2d(1, 2, 1), norm, nn.Conv2d(2, 1, 1), nn.Flatten()).double()
    for module in (model[0], model[2]):
        nn.init.ones_(module.weight)
        nn.init.zeros_(module.bias)
    return model


def test_the_activation_in_timms_norm_is_kept():
    """x = 1 → conv gives 1 twice → GELU(1) → sum; with the norm and activation gone, 1 → 2."""
    ensure_torchvision()
    from timm.layers import BatchNormAct2d

    model = timm_block(BatchNormAct2d(2, act_layer=nn.GELU))
    one = torch.ones((), dtype=torch.float64, requires_grad=True)
    value = F.gelu(one)
    (slope,) = torch.autograd.grad(value, one)
    value = value.detach()
    expected = 2 * slope + 2 * value  # first layer: two weights 1·slope; second: two of GELU(1)
    np.testing.assert_allclose(synflow(model, (1, 1, 1)), float(expected), rtol=1e-12)
    bare = timm_block(BatchNormAct2d(2, apply_act=False))
    assert synflow(bare, (1, 1, 1)) == 4


class PreActivation(nn.Module):
    """Norm and in-place activation read x, which the shortcut needs unchanged afterwards."""

    def __init__(self, norm):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 1, 1, bias=False), norm

    def forward(self, x):
        x = self.conv(x)
        return (x + self.norm(x)).flatten(1)


def test_a_shortcut_past_the_norm_sees_what_came_before():
    ensure_torchvision()
    from timm.layers import BatchNormAct2d

    model = PreActivation(BatchNormAct2d(1, act_layer=nn.SiLU, inplace=True)).double()
    nn.init.ones_(model.conv.weight)
    one = torch.ones((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(F.silu(one), one)
    np.testing.assert_allclose(synflow(model, (1, 1, 1)), 1 + float(slope), rtol=1e-12)


def test_zero_head(small_cnn):
    model = small_cnn()
    nn.init.zeros_(model[7].weight)
    assert synflow(model, (3, 8, 8)) == 0


def test_errors(small_cnn, layer):
    with pytest.raises(InputError, match="must be 'bypass' or 'keep', but is 'remove'"):
        synflow(small_cnn(), (3, 8, 8), batch_norm="remove")
    with pytest.raises(ScoreUndefinedError, match="Flatten has no convolution"):
        synflow(nn.Flatten(), (3, 8, 8))
    deep = nn.Sequential(*(layer([[1e20]]) for _ in range(16)))
    with pytest.raises(ScoreUndefinedError, match=r"flow through 16 layers came out as (inf|nan)"):
        synflow(deep, (1, 1, 1))
    np.testing.assert_allclose(synflow(deep[:15], (1, 1, 1)), 15e300, rtol=1e-12)
