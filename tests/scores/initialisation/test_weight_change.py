import copy

import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.initialisation.weight_change import weight_change


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5)).double()


def flat(model):
    return np.concatenate([model[i].weight.detach().numpy().ravel() for i in (0, 3)])


def test_a_change_of_low_rank_and_known_norm():
    before, now = network(), network()
    change = torch.outer(torch.randn(5), torch.randn(16)).double()
    with torch.no_grad():
        now[3].weight += change * (0.25 * np.linalg.norm(flat(before)) / change.norm())
        now[3].bias += 100  # which is no weight
    assert weight_change(now, before) == pytest.approx(0.25, rel=1e-12)
    assert 0 < weight_change(now, before, least=True) <= 0.25


def test_of_unrelated_networks_it_is_the_growth_of_norms():
    before, now = network(0), network(1)
    with torch.no_grad():
        for parameter in now.parameters():
            parameter.mul_(3)
    a, b = flat(now), flat(before)
    assert weight_change(now, before) == pytest.approx(np.linalg.norm(a - b) / np.linalg.norm(b))
    # Orthogonal up to some 1 / √188.
    expected = np.sqrt(1 + np.sum(a**2) / np.sum(b**2))
    assert weight_change(now, before) == pytest.approx(expected, rel=0.1)


def test_the_least_change_does_not_see_rotations_and_bounds_the_other():
    before, now = network(), network()
    rotation = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    with torch.no_grad():
        now[3].weight.copy_(rotation @ before[3].weight)
    assert weight_change(now, before, least=True) == pytest.approx(0, abs=1e-12)
    assert weight_change(now, before) > 0.3
    for seed in range(1, 6):
        other = network(seed)
        assert weight_change(other, before, least=True) < weight_change(other, before)


def test_a_doubled_network_moved_by_its_own_norm():
    before = network()
    now = copy.deepcopy(before)
    with torch.no_grad():
        now[0].weight.mul_(2)
        now[3].weight.mul_(2)
    for least in (False, True):
        assert weight_change(now, before, least=least) == pytest.approx(1, rel=1e-12)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match=r"of model, .* layers .* 2 tensors there, 1 here"):
        weight_change(nn.Linear(2, 2), network())
    with pytest.raises(InputError, match="the shapes of their weights differ"):
        weight_change(nn.Linear(2, 2), nn.Linear(3, 2))
    zero = nn.Linear(2, 2)
    nn.init.zeros_(zero.weight)
    with pytest.raises(ScoreUndefinedError, match="these are all zero"):
        weight_change(nn.Linear(2, 2), zero)
