import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.weights.codebook_error import codebook_error


@pytest.mark.parametrize(("k", "lost"), [(4, 0.1175), (8, 0.03454), (16, 0.009497)])
def test_normal_weights_lose_what_lloyd_and_max_found(k, lost):
    torch.manual_seed(0)
    layer = nn.Conv2d(100, 100, 5)
    nn.init.normal_(layer.weight)
    assert codebook_error(layer, k=k) == pytest.approx(lost, rel=0.01)  # of 250,000 draws


def test_two_tensors_by_hand():
    # 8 weights in two pairs of clusters 2h wide, 4 weights that are exact.
    model = nn.Sequential(nn.Linear(4, 2, bias=False), nn.Linear(2, 2, bias=False))
    model[0].weight.data = torch.tensor([[1.0, 3.0, 1.0, 3.0], [11.0, 13.0, 11.0, 13.0]])
    model[1].weight.data = torch.tensor([[5.0, 7.0], [7.0, 5.0]])
    of_first = 8 / (2 * (1 + 9 + 121 + 169))
    assert codebook_error(model, k=2) == pytest.approx(8 / 12 * of_first, rel=1e-6)


def test_few_distinct_weights_lose_nothing():
    layer = nn.Linear(30, 30)
    layer.weight.data = torch.randn(7)[torch.randint(7, (30, 30))]
    assert codebook_error(layer, k=7) == 0


def test_more_values_lose_less_and_scale_does_not_matter():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Linear(8, 4)).double()
    errors = [codebook_error(model, k=k) for k in (1, 2, 4, 8, 16)]
    assert errors == sorted(errors, reverse=True)
    with torch.no_grad():
        model[0].weight *= -7
    np.testing.assert_allclose([codebook_error(model, k=k) for k in (1, 2, 4, 8, 16)], errors)


def test_zero_weights_lose_nothing():
    layer = nn.Linear(3, 3)
    nn.init.zeros_(layer.weight)
    assert codebook_error(layer) == 0


def test_refusals():
    with pytest.raises(InputError, match="k must be a whole number from 1 up, but is 0"):
        codebook_error(nn.Linear(2, 2), k=0)
    with pytest.raises(ScoreUndefinedError, match="ReLU has no convolution"):
        codebook_error(nn.ReLU())
