import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.synaptic_flow import synaptic_flow
from zoo_eval.scores.zero_cost.logsynflow import logsynflow


def test_closed_form(layer):
    """W₁ = (1 −2), W₂ = 3: gradients 3 and 3 there, |W₁| 1 = 3 here."""
    model = nn.Sequential(layer([[1.0, -2.0]]), layer([[3.0]]))
    expected = (1 + 2) * np.log(1 + 3) + 3 * np.log(1 + 3)
    np.testing.assert_allclose(logsynflow(model=model, input_shape=(2, 1, 1)), expected, rtol=1e-15)


def slow(model, shape, keep):
    model = copy.deepcopy(model)
    for tensor in [*model.parameters(), *model.buffers()]:
        tensor.data = tensor.data.abs()
    x = torch.ones(1, *shape, dtype=torch.float64)
    for module in model:
        x = module(x) if keep or not isinstance(module, nn.BatchNorm2d) else x
    x.sum().backward()
    total = 0.0
    for module in model:
        if isinstance(module, nn.Conv2d | nn.Linear):
            weight, gradient = module.weight.detach().numpy(), module.weight.grad.numpy()
            total += sum(
                w * math.log(1 + abs(g)) for w, g in zip(weight.flat, gradient.flat, strict=True)
            )
    return total


@pytest.mark.parametrize("batch_norm", ["keep", "bypass"])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
def test_slow_version(small_cnn, activation, batch_norm):
    model = small_cnn(activation=activation)
    expected = slow(model, (3, 8, 8), batch_norm == "keep")
    found = logsynflow(model=model, input_shape=(3, 8, 8), batch_norm=batch_norm)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("batch_norm", "reference"),
    [("keep", "logsynflow_plus1/eval"), ("bypass", "logsynflow_plus1_bn_bypassed/eval")],
)
def test_definition_of_freerea(case, batch_norm, reference, parity):
    found = logsynflow(model=case.model, input_shape=(3, 16, 16), batch_norm=batch_norm)
    if case.name == "vit":
        # Without the absolute value: gradients below −1, behind the norm, have no logarithm.
        assert case.expectations["values"][reference]["value"] == "nan"
        flow = synaptic_flow(case.model, (3, 16, 16), batch_norm=True)
        assert min(float(g.min()) for g in flow.gradients) < -1
        expected = sum(
            float((w * g.abs().log1p()).sum())
            for w, g in zip(flow.weights, flow.gradients, strict=True)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    else:
        parity.network(case, reference, found)


@pytest.mark.parametrize(
    ("keep", "reference"),
    [
        (True, "logsynflow_autoprox_bn/eval"),
        (False, "logsynflow_autoprox/eval"),
        (False, "logsynflow_autoprox/train"),
    ],
)
def test_definition_of_auto_prox(case, keep, reference, parity):
    """Σ |w| |ln ∂R/∂w| of the same gradients, where no gradient is zero or negative."""
    flow = synaptic_flow(case.model, (3, 16, 16), batch_norm=keep)
    smallest = min(float(g.min()) for g in flow.gradients)
    if case.name == "cnn_bn":
        pairs = zip(flow.weights, flow.gradients, strict=True)
        found = sum(float((w * g.log().abs()).sum()) for w, g in pairs)
        parity.network(case, reference, found)
    else:
        value = case.expectations["values"][reference]["value"]
        assert (value, smallest < 0) == {"vit": ("nan", True), "cnn_nobn": ("inf", False)}[
            case.name
        ]
        assert smallest <= 0
        assert math.isfinite(logsynflow(model=case.model, input_shape=(3, 16, 16)))


def test_auto_prox_in_train_mode_is_never_defined(case):
    """Batch norm on one image of ones gives negative gradients."""
    values = case.expectations["values"]
    assert values["logsynflow_autoprox_bn/train"]["value"] in ("nan", "inf")


@pytest.mark.parametrize("depth", [10, 15, 16, 60])
def test_chain_of_any_depth(layer, depth):
    """L weights of 10²⁰ with a gradient of 10²⁰⁽ᴸ⁻¹⁾ each."""
    model = nn.Sequential(*(layer([[1e20]]) for _ in range(depth)))
    expected = depth * 1e20 * (depth - 1) * 20 * np.log(10)
    np.testing.assert_allclose(logsynflow(model=model, input_shape=(1, 1, 1)), expected, rtol=1e-12)


def test_weights_without_gradient_add_nothing(layer):
    model = nn.Sequential(layer([[2.0], [0.0]]), layer([[3.0, 0.0]]))
    # Rows: w = 2 with gradient 3, w = 0 with gradient 0; then w = 3 with gradient 2, w = 0.
    expected = 2 * np.log(4) + 3 * np.log(3)
    np.testing.assert_allclose(logsynflow(model=model, input_shape=(1, 1, 1)), expected, rtol=1e-15)
    model = nn.Sequential(layer([[2.0]]), layer([[0.0]]))
    assert logsynflow(model=model, input_shape=(1, 1, 1)) == 0


@settings(max_examples=10)
@given(st.lists(st.booleans(), min_size=8, max_size=8))
def test_signs_of_weights_do_not_matter(small_cnn, signs):
    model = small_cnn()
    expected = logsynflow(model=model, input_shape=(3, 8, 8))
    with torch.no_grad():
        for parameter, flip in zip(model.parameters(), signs, strict=False):
            parameter *= -1 if flip else 1
    np.testing.assert_allclose(logsynflow(model=model, input_shape=(3, 8, 8)), expected, rtol=1e-12)


class Unequal(nn.Module):
    """A chain of 10⁴⁰⁰ beside a single weight."""

    def __init__(self, layer):
        super().__init__()
        self.chain = nn.Sequential(*(layer([[1e20]]) for _ in range(20)))
        self.single = layer([[1.0]])

    def forward(self, images):
        return self.chain(images) + self.single(images)


def test_errors(small_cnn, layer):
    with pytest.raises(InputError, match="must be 'keep' or 'bypass', but is 'remove'"):
        logsynflow(model=small_cnn(), input_shape=(3, 8, 8), batch_norm="remove")
    with pytest.raises(ScoreUndefinedError, match="Flatten has no convolution"):
        logsynflow(model=nn.Flatten(), input_shape=(3, 8, 8))
    with pytest.raises(ScoreUndefinedError, match=r"2\^900 times smaller .* flow of 2\^1\d\d\d"):
        logsynflow(model=Unequal(layer), input_shape=(1, 1, 1))
