import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.scores.zero_cost.synflow import synflow


def test_closed_form(layer):
    """One layer: Σ|w|. Two: the flow 1ᵀ|W₂||W₁|1, counted once for each layer."""
    first, second = [[1.0, -2.0, 0.0], [0.0, 3.0, -1.0]], [[-1.0, 4.0]]
    np.testing.assert_allclose(synflow(layer(first), (3, 1, 1)), np.log(7), rtol=1e-15)
    model = nn.Sequential(layer(first), layer(second))
    expected = np.log(2 * (1 * 3 + 4 * 4))
    np.testing.assert_allclose(synflow(model, (3, 1, 1)), expected, rtol=1e-15)


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
    return np.log(sum(float((w.detach() * w.grad).abs().sum()) for w in weights))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
def test_slow_version(small_cnn, activation):
    model = small_cnn(activation=activation)
    np.testing.assert_allclose(synflow(model, (3, 8, 8)), slow(model, (3, 8, 8)), rtol=1e-12)


@pytest.mark.parametrize("reference", ["synflow/eval", "synflow/train"])
def test_published_program(case, reference, parity):
    """The mode does not matter: batch norm is passed by, and there is no dropout."""
    found = synflow(model=case.model, input_shape=(3, 16, 16))
    parity.network(case, reference, math.exp(found))


@pytest.mark.parametrize("depth", [15, 16, 60])
def test_chain_of_any_depth(layer, depth):
    """The flow through L layers with one weight w each is wᴸ, counted L times."""
    model = nn.Sequential(*(layer([[-1e20]]) for _ in range(depth)))
    expected = depth * np.log(1e20) + np.log(depth)
    np.testing.assert_allclose(synflow(model, (1, 1, 1)), expected, rtol=1e-13)


def test_flow_below_float64(layer):
    model = nn.Sequential(*(layer([[1e-20]]) for _ in range(40)))
    np.testing.assert_allclose(synflow(model, (1, 1, 1)), np.log(40) - 800 * np.log(10), rtol=1e-13)


class Branches(nn.Module):
    """X + w x: (1 + w) times the input."""

    def __init__(self, weight, activation):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1, bias=False).double()
        nn.init.constant_(self.conv.weight, weight)
        self.activation = activation

    def forward(self, x):
        return self.activation(x) + self.activation(self.conv(x))


@pytest.mark.parametrize("weight", [1e12, 1e6])
@pytest.mark.parametrize("activation", [nn.ReLU(), nn.GELU(), nn.SiLU(), nn.Hardswish()])
def test_residual_branches_of_any_depth(weight, activation):
    """Flow (1 + w)ᴸ, of which each layer carries the part w / (1 + w).

    The first twelve are plain doublings (w = 1), after which the activations are linear in
    float64.
    """
    depth = 60
    blocks = [Branches(1.0, nn.ReLU()) for _ in range(12)]
    blocks += [Branches(weight, activation) for _ in range(depth)]
    share = 12 * 0.5 + depth * weight / (1 + weight)
    expected = 12 * np.log(2) + depth * np.log1p(weight) + np.log(share)
    found = synflow(nn.Sequential(*blocks, nn.Flatten()), (1, 1, 1))
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@settings(max_examples=10)
@given(st.lists(st.booleans(), min_size=8, max_size=8))
def test_signs_of_weights_do_not_matter(small_cnn, signs):
    model = small_cnn()
    expected = synflow(model, (3, 8, 8))
    with torch.no_grad():
        for parameter, flip in zip(model.parameters(), signs, strict=False):
            parameter *= -1 if flip else 1
    np.testing.assert_allclose(synflow(model, (3, 8, 8)), expected, rtol=1e-12)


@settings(max_examples=10)
@given(st.floats(-150, 300))
def test_scale_of_one_layer(layer, exponent):
    first, second = [[1.0, -2.0, 0.0], [0.0, 3.0, -1.0]], [[-1e20, 4e20]]
    scaled = (np.array(first) * 10**exponent).tolist()
    model = nn.Sequential(layer(scaled), layer(second))
    expected = np.log(38) + (20 + exponent) * np.log(10)
    np.testing.assert_allclose(synflow(model, (3, 1, 1)), expected, rtol=1e-12, atol=1e-12)


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
    np.testing.assert_allclose(synflow(model, (1, 1, 1)), math.log(expected), rtol=1e-12)
    bare = timm_block(BatchNormAct2d(2, apply_act=False))
    np.testing.assert_allclose(synflow(bare, (1, 1, 1)), math.log(4), rtol=1e-15)


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
    np.testing.assert_allclose(synflow(model, (1, 1, 1)), math.log(1 + float(slope)), rtol=1e-12)


class Cancelling(nn.Module):
    """The square of 10²⁵ (0.1 + 0.2 − 0.3), which is rounding alone."""

    def __init__(self, layer):
        super().__init__()
        self.sum, self.same = layer([[0.1, 0.2]]), layer([[0.3, 0.0]])

    def forward(self, images):
        return (1e25 * (self.sum(images) - self.same(images))) ** 2


class Attention(nn.Module):
    """All tokens are alike, so their scores differ by rounding errors alone."""

    def __init__(self, scale):
        super().__init__()
        self.embed = nn.Conv2d(1, 4, 1)
        self.qkv, self.head, self.scale = nn.Linear(4, 12), nn.Linear(4, 2), scale

    def forward(self, images):
        tokens = self.embed(images).flatten(2).transpose(1, 2) * self.scale
        q, k, v = self.qkv(tokens).unsqueeze(1).chunk(3, dim=-1)
        return self.head(F.scaled_dot_product_attention(q, k, v)[:, 0].mean(dim=1))


def test_flows_made_of_rounding_errors(layer):
    with pytest.raises(
        ScoreUndefinedError, match=r"rounding errors: its logarithm is [\d.]+, but [\d.]+ with"
    ):
        synflow(Cancelling(layer), (2, 1, 1))
    torch.manual_seed(0)
    assert math.isfinite(synflow(Attention(1.0), (1, 3, 3)))
    with pytest.raises(ScoreUndefinedError, match=r"softmax .* about 2\^\d+, but in 9 of 9 rows"):
        synflow(Attention(1e160), (1, 3, 3))


def test_errors(small_cnn):
    with pytest.raises(ScoreUndefinedError, match="Flatten has no convolution"):
        synflow(nn.Flatten(), (3, 8, 8))
    model = small_cnn()
    nn.init.zeros_(model[7].weight)
    with pytest.raises(ScoreUndefinedError, match=r"synflow is .* through 3 layers is zero"):
        synflow(model, (3, 8, 8))
    with torch.no_grad():
        model[0].weight.fill_(math.inf)
    with pytest.raises(ScoreUndefinedError, match=r"through 3 layers came out as nan times 2\^"):
        synflow(model, (3, 8, 8))
