import torch
from torch import nn

from zoo_eval.quantities.module_state import weight_tensors
from zoo_eval.scores.zero_cost.params import params


def test_closed_form():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2, bias=False))
    assert params(model) == (4 * 3 * 9 + 4) + 2 * 4 + 2 * 4


def test_shared_parameters_count_once_and_frozen_ones_too():
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    first.requires_grad_(False)
    assert params(nn.Sequential(first, second)) == 9 + 3 + 3


def test_parameters_outside_layers_count():
    model = nn.Module()
    model.table = nn.Parameter(torch.zeros(5, 2))
    assert params(model) == 10
    assert params(nn.ReLU()) == 0


def test_published_program(case, parity):
    parity.network(case, "params", params(model=case.model))


def test_weights_that_other_scores_sum_over(case, parity):
    """Those of convolutions and linear layers: fewer than all parameters."""
    found = sum(weight.numel() for _, weight in weight_tensors(case.model))
    assert found < params(model=case.model)
    parity.network(case, "params_conv_linear_weights", found)
