import pytest
import torch
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.weights.shift_error import shift_error


@pytest.mark.parametrize(("bits", "lost"), [(2, 0.1581), (3, 0.0442), (4, 0.0377)])
def test_normal_weights(bits, lost):
    torch.manual_seed(0)
    layer = nn.Linear(100_000, 2)
    nn.init.normal_(layer.weight)
    assert shift_error(layer, bits=bits) == pytest.approx(lost, rel=0.02)  # of 100,000 draws


def test_by_hand():
    # 1 and 2 become a, 3 becomes 2a; by least squares a = (1 + 2 + 2 · 3) / (1 + 1 + 4) = 3/2.
    layer = nn.Linear(3, 1).double()
    layer.weight.data = torch.tensor([[1.0, -2.0, 3.0]], dtype=torch.float64)
    assert shift_error(layer, bits=2) == pytest.approx((1 / 4 + 1 / 4) / 14, rel=1e-12)


def test_each_output_channel_has_its_own_scale():
    model = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Linear(4, 2))
    model[0].weight.data = torch.tensor([[[[1.0, 2], [-4, 8]]], [[[3, 6], [12, -24]]]])
    model[1].weight.data = torch.tensor([[0.1, 0.2, 0.4, 0.8], [7, 7, 7, 7]])
    assert shift_error(model, bits=3) == pytest.approx(0, abs=1e-12)


def test_more_bits_lose_no_more_and_scale_does_not_matter():
    torch.manual_seed(0)
    layer = nn.Conv2d(8, 16, 3).double()
    errors = [shift_error(layer, bits=bits) for bits in (2, 3, 4)]
    assert errors == sorted(errors, reverse=True)
    with torch.no_grad():
        layer.weight *= -3
    assert [shift_error(layer, bits=bits) for bits in (2, 3, 4)] == pytest.approx(errors)


def test_refusals():
    with pytest.raises(InputError, match="bits must be 2, 3, 4 or 5, but is 1"):
        shift_error(nn.Linear(2, 2), bits=1)
    with pytest.raises(ScoreUndefinedError, match="GELU has no convolution"):
        shift_error(nn.GELU())
