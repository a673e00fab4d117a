import copy
import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities import QUANTITIES, Resolver
from zoo_eval.scores import SCORES
from zoo_eval.scores.zero_cost.synflow import synflow
from zoo_eval.scores.zero_cost.synflow_bn import synflow_bn


def norm(variance, mean=0.0):
    module = nn.BatchNorm2d(1, eps=0, affine=False).double()
    module.running_var.fill_(variance)
    module.running_mean.fill_(mean)
    return module


def conv(weight):
    module = nn.Conv2d(1, 1, 1, bias=False).double()
    nn.init.constant_(module.weight, weight)
    return module


def test_closed_form():
    """3 through a norm that halves, then 5: flow 7.5 in both layers."""
    model = nn.Sequential(conv(-3.0), norm(4.0), conv(5.0), nn.Flatten())
    np.testing.assert_allclose(
        synflow_bn(model=model, input_shape=(1, 1, 1)), np.log(2 * 7.5), rtol=1e-15
    )


def slow(model, shape, train):
    model = copy.deepcopy(model).train(train)
    for tensor in [*model.parameters(), *model.buffers()]:
        tensor.data = tensor.data.abs()
    model(torch.ones(1, *shape, dtype=torch.float64)).sum().backward()
    weights = [m.weight for m in model if isinstance(m, nn.Conv2d | nn.Linear)]
    return np.log(sum(float((w.detach() * w.grad).abs().sum()) for w in weights))


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, mode):
    found = synflow_bn(model=small_cnn(), input_shape=(3, 8, 8), mode=mode)
    np.testing.assert_allclose(found, slow(small_cnn(), (3, 8, 8), mode == "paper"), rtol=1e-12)


@pytest.mark.parametrize(
    ("mode", "reference"), [("eval", "synflow_bn/eval"), ("paper", "synflow_bn/train")]
)
def test_published_program(case, mode, reference, parity):
    found = synflow_bn(model=case.model, input_shape=(3, 16, 16), mode=mode)
    parity.network(case, reference, math.exp(found))


def test_any_depth_with_running_statistics():
    """Each block is (1e20 · x − m) / 2; the means m do not change the slope, only values."""
    depth = 60
    blocks = [module for _ in range(depth) for module in (conv(1e20), norm(4.0, mean=1e18))]
    value, values = Fraction(1), []
    for _ in range(depth):
        values.append(value)
        value = (10**20 * value - 10**18) / 2
    slope = Fraction(10**20, 2)
    # w ∂R/∂w of layer l is 10²⁰ xₗ / 2 · slope^(layers behind l).
    flow = sum(10**20 * x / 2 * slope ** (depth - 1 - i) for i, x in enumerate(values))
    expected = math.log(flow.numerator) - math.log(flow.denominator)
    found = synflow_bn(model=nn.Sequential(*blocks, nn.Flatten()), input_shape=(1, 1, 1))
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_without_batch_norm_it_is_synflow(small_cnn):
    model = small_cnn(batch_norm=False)
    assert synflow_bn(model=model, input_shape=(3, 8, 8)) == synflow(model, (3, 8, 8))


@settings(max_examples=10)
@given(st.lists(st.booleans(), min_size=8, max_size=8))
def test_signs_of_weights_do_not_matter(small_cnn, signs):
    model = small_cnn()
    expected = synflow_bn(model=model, input_shape=(3, 8, 8))
    with torch.no_grad():
        for parameter, flip in zip(model.parameters(), signs, strict=False):
            parameter *= -1 if flip else 1
    np.testing.assert_allclose(synflow_bn(model=model, input_shape=(3, 8, 8)), expected, rtol=1e-12)


def test_errors(small_cnn):
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        synflow_bn(model=small_cnn(), input_shape=(3, 8, 8), mode="train")
    with pytest.raises(ScoreUndefinedError, match=r"train mode: .* torch.Size\(\[1, 1, 1, 1\]\)"):
        synflow_bn(
            model=nn.Sequential(conv(1.0), norm(1.0), nn.Flatten()),
            input_shape=(1, 1, 1),
            mode="paper",
        )
    model = small_cnn()
    nn.init.zeros_(model[7].weight)
    with pytest.raises(ScoreUndefinedError, match=r"synflow_bn is .* through 3 layers is zero"):
        synflow_bn(model=model, input_shape=(3, 8, 8))


def test_one_flow_for_all_scores_that_keep_batch_norm(small_cnn, monkeypatch):
    """Computed once, freed after the last of them; the weights are not held twice."""
    calls = []
    names = ("synflow_bn", "logsynflow", "dss")
    flow_of = QUANTITIES["synaptic_flow_bn"]
    counted = replace(flow_of, function=lambda *args: calls.append(1) or flow_of.function(*args))
    monkeypatch.setitem(QUANTITIES, "synaptic_flow_bn", counted)
    model = small_cnn()
    givens = {"model": model, "input_shape": (3, 8, 8)}
    resolver = Resolver(givens, [SCORES[name].needs for name in names])
    flow = resolver.get("synaptic_flow_bn")
    assert [p.data_ptr() for p in flow.parameters] == [
        model[i].weight.data_ptr() for i in (0, 3, 7)
    ]
    for name in names:
        assert resolver.get("synaptic_flow_bn") is flow
        resolver.release(SCORES[name].needs)
    assert len(calls) == 1
    assert resolver.get("synaptic_flow_bn") is not flow
