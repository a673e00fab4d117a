import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.zero_cost.dss import dss


class TinyAttention(nn.Module):
    """Named as attention, but a linear map, so that sums can be done by hand."""

    def __init__(self, weight):
        super().__init__()
        self.proj = nn.Linear(2, 2, bias=False).double()
        self.proj.weight = nn.Parameter(torch.tensor(weight, dtype=torch.float64))

    def forward(self, images):
        return self.proj(images.flatten(1))


def test_closed_form(layer):
    """R = hᵀ W 1. ∂R/∂W = h 1ᵀ has the one singular value |h| √2; |W| has those of diag(3, 4)."""
    model = nn.Sequential(TinyAttention([[-3.0, 0.0], [0.0, 4.0]]), layer([[3.0, -4.0]]))
    flow = 3 * 3 + 4 * 4
    expected = 5 * np.sqrt(2) * (3 + 4) + flow
    np.testing.assert_allclose(dss(model=model, input_shape=(2, 1, 1)), expected, rtol=1e-12)


def slow(model, shape, attention, others):
    model = copy.deepcopy(model)
    for parameter in model.parameters():
        parameter.data = parameter.data.abs()
    model(torch.ones(1, *shape, dtype=torch.float64)).sum().backward()
    layers = dict(model.named_modules())
    total = 0.0
    for name in attention:
        weight, gradient = layers[name].weight.detach().numpy(), layers[name].weight.grad.numpy()
        nuclear = [
            np.sqrt(np.clip(np.linalg.eigvalsh(m.T @ m), 0, None)) for m in (weight, gradient)
        ]
        total += nuclear[0].sum() * nuclear[1].sum()
    for name in others:
        weight = layers[name].weight
        total += float((weight.detach() * weight.grad).abs().sum())
    return total


def test_slow_version(case):
    if case.name != "vit":
        with pytest.raises(ScoreUndefinedError, match=r"none of the (27|14) modules of Sequential"):
            dss(model=case.model, input_shape=(3, 16, 16))
        return
    parts = [("block1", "block2"), ("attn.body.attn.qkv", "attn.body.attn.proj")]
    attention = [f"{block}.{part}" for block in parts[0] for part in parts[1]]
    mlps = [f"{block}.mlp.body.{part}" for block in parts[0] for part in ("fc1", "fc2")]
    expected = slow(case.model.double(), (3, 16, 16), attention, [*mlps, "head"])
    # The square roots of eigenvalues of a square lose half the digits of the smallest ones.
    np.testing.assert_allclose(dss(model=case.model, input_shape=(3, 16, 16)), expected, rtol=1e-6)


def test_published_programs(case, parity):
    """The paper's own program gives 0, as it reads gradients that torch does not keep."""
    if case.name == "vit":
        found = dss(model=case.model, input_shape=(3, 16, 16))
        parity.network(case, "dss_aznas/eval", found)
        assert case.expectations["values"]["dss_tftas/eval"]["value"] == 0
        assert found > 1000
    else:
        assert "dss_aznas/eval" not in case.expectations["values"]


@settings(max_examples=10)
@given(st.lists(st.booleans(), min_size=6, max_size=6), st.floats(0.01, 100))
def test_signs_and_the_scale_of_the_head(layer, signs, factor):
    first = np.array([[1.0, 2.0], [3.0, 0.5]])
    second = np.array([[2.0, 5.0]])
    expected = dss(model=nn.Sequential(TinyAttention(first), layer(second)), input_shape=(2, 1, 1))
    flips = np.where(signs, -1, 1)
    flipped = (first * flips[:4].reshape(2, 2)).tolist(), (second * flips[4:] * factor).tolist()
    found = dss(
        model=nn.Sequential(TinyAttention(flipped[0]), layer(flipped[1])), input_shape=(2, 1, 1)
    )
    np.testing.assert_allclose(found, factor * expected, rtol=1e-12)


def test_zero_head(layer):
    assert (
        dss(
            model=nn.Sequential(TinyAttention([[1.0, 2.0], [3.0, 4.0]]), layer([[0.0, 0.0]])),
            input_shape=(2, 1, 1),
        )
        == 0
    )


def test_flows_beyond_float64(layer):
    layers = [layer([[1e20]]) for _ in range(20)]
    model = nn.Sequential(TinyAttention([[1.0, 0.0], [0.0, 1.0]]), layer([[1.0, 1.0]]), *layers)
    with pytest.raises(ScoreUndefinedError, match=r"DSS is 2\^13\d\d here, beyond float64"):
        dss(model=model, input_shape=(2, 1, 1))
    model = model[:17]
    np.testing.assert_allclose(
        dss(model=model, input_shape=(2, 1, 1)), (4 + 2 + 15 * 2) * 1e300, rtol=1e-12
    )
    assert math.isfinite(dss(model=model, input_shape=(2, 1, 1)))


def test_other_errors():
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
    with pytest.raises(ScoreUndefinedError, match="none of the 3 modules of Sequential"):
        dss(model=model, input_shape=(3, 8, 8))
