import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.zero_cost.l2_norm import l2_norm


def test_closed_form(layer):
    model = nn.Sequential(layer([[3.0, 4.0]], bias=[100.0]), layer([[2.0], [1.0], [2.0]]))
    assert l2_norm(model) == 5 + 3


def test_independent_norms(small_cnn):
    arrays = [small_cnn()[i].weight.detach().numpy() for i in (0, 3, 7)]
    expected = sum(np.sqrt(np.sum(array**2)) for array in arrays)
    np.testing.assert_allclose(l2_norm(small_cnn()), expected, rtol=1e-12)


@settings(max_examples=10, deadline=None)
@given(st.floats(-10, 10).filter(lambda factor: abs(factor) > 1e-100))
def test_scales_with_the_weights(small_cnn, factor):
    model = small_cnn()
    before = l2_norm(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= factor
    np.testing.assert_allclose(l2_norm(model), abs(factor) * before, rtol=1e-12)


def test_published_program(case, parity):
    parity.network(case, "l2_norm", l2_norm(model=case.model))


def test_no_layers():
    with pytest.raises(ScoreUndefinedError, match=r"ReLU has no convolution .* its 1 modules"):
        l2_norm(nn.ReLU())
