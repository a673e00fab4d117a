import pytest
import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.weights.filter_sparsity import filter_sparsity


def test_slices_below_a_hundredth_of_the_largest():
    layer = nn.Conv2d(2, 3, 3).double()
    layer.weight.data = torch.full((3, 2, 3, 3), 1e-9, dtype=torch.float64)
    layer.weight.data[0, 0, 1, 1] = -100  # the largest
    layer.weight.data[1, 0, 2, 2] = 1.01  # just above
    layer.weight.data[2, 1, 0, 0] = 0.99  # just below
    assert filter_sparsity(layer) == 4 / 6
    layer.weight.data *= 1e-5
    assert filter_sparsity(layer) == 4 / 6


def test_layers_count_the_same_and_pointwise_ones_do_not():
    full, empty = nn.Conv2d(3, 4, 3), nn.Conv2d(8, 16, 5, groups=8)
    nn.init.ones_(full.weight)
    nn.init.zeros_(empty.weight)
    assert filter_sparsity(nn.Sequential(full, empty, nn.Conv2d(3, 3, 1), nn.Linear(2, 2))) == 0.5


def test_no_such_layer():
    with pytest.raises(ScoreUndefinedError, match="larger than 1 × 1, but Linear has none"):
        filter_sparsity(nn.Linear(2, 2))
