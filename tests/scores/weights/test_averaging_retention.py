import copy

import pytest
import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.weights.averaging_retention import averaging_retention


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Conv2d(16, 64, 3), nn.Flatten(), nn.Linear(256, 100))
    for layer in (layers[0], layers[2]):
        nn.init.normal_(layer.weight, std=0.02)
    return layers


def test_unrelated_networks_lose_half():
    assert averaging_retention(network(0), network(1)) == pytest.approx(0.5, abs=0.02)
    assert averaging_retention(network(0), network(1), corrected=True) == pytest.approx(1, rel=1e-6)


def test_a_copy_loses_nothing_and_a_negative_all():
    one = network(0)
    assert averaging_retention(one, copy.deepcopy(one)) == pytest.approx(1, rel=1e-12)
    other = copy.deepcopy(one)
    with torch.no_grad():
        for weight in other.parameters():
            weight.neg_()
    assert averaging_retention(one, other) == pytest.approx(0, abs=1e-12)


def test_the_correlation_of_the_weights_can_be_read_off():
    one, other = network(0), network(1)
    with torch.no_grad():
        for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
            theirs.copy_(0.6 * mine + 0.8 * theirs)
    assert averaging_retention(one, other) == pytest.approx((1 + 0.6) / 2, abs=0.02)


def test_neither_order_nor_scale_matters():
    one, other = network(0), network(1)
    value = averaging_retention(one, other)
    assert averaging_retention(other, one) == value
    with torch.no_grad():
        for weight in (*one.parameters(), *other.parameters()):
            weight.mul_(4)  # a power of two rounds nothing
    assert averaging_retention(one, other) == pytest.approx(value, rel=1e-12)


def test_what_has_no_value():
    with pytest.raises(ScoreUndefinedError, match="Its column `sibling` can"):
        averaging_retention(network(0), None)
    flat = nn.Linear(3, 3)
    nn.init.constant_(flat.weight, 2.0)
    with pytest.raises(ScoreUndefinedError, match="No layer of Linear has weights that vary"):
        averaging_retention(flat, copy.deepcopy(flat))
