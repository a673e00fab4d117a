import copy

import pytest
import torch
from torch import nn

from zoo_eval.conformance.networks import build, givens
from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.transforms.group_rational import rational
from zoo_eval.transforms.rational import RATIONAL
from zoo_eval.transforms.rational_fit import rational_like


def test_each_activation_is_its_own_function_s():
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 3), nn.GELU(), nn.Sigmoid())
    x = torch.randn(5, 3)
    with RATIONAL.at(model, [], 3.0).transformed, torch.no_grad():
        found = model(x)
    relu, gelu = rational_like(torch.relu, 3), rational_like(nn.GELU(), 3)
    expected = model[1](rational(x, *relu))
    torch.testing.assert_close(found, rational(expected, *gelu).sigmoid())


def test_lines_are_left_as_they_are():
    model = nn.Sequential(nn.LeakyReLU(1.0))  # whose slopes are equal
    x = torch.randn(50)
    for level in RATIONAL.levels:
        with RATIONAL.at(model, [], level).transformed:
            torch.testing.assert_close(model(x), x, rtol=1e-5, atol=1e-5)


def test_the_control_is_as_large_on_every_image():
    model, x = nn.Sequential(nn.ReLU(inplace=True)), torch.randn(6, 4, 5)
    sizes = []
    for changed in RATIONAL.at(model, [], 2.0):
        with changed, torch.no_grad():
            sizes.append((model(x.clone()) - x.relu()).flatten(1).norm(dim=1))
    torch.testing.assert_close(*sizes)
    assert sizes[0].min() > 0


def test_activations_of_the_norms_of_timm_are_seen():
    ensure_torchvision()
    from timm.layers.norm_act import BatchNormAct2d

    model, x = nn.Sequential(BatchNormAct2d(2).eval()), torch.randn(1, 2, 3, 3)
    plain = model(x)
    with RATIONAL.at(model, [], 1.0).transformed:
        assert not torch.allclose(model(x), plain)
    assert torch.equal(model(x), plain)


def test_functions_of_channels_and_no_functions_are_refused():
    with pytest.raises(
        ScoreUndefinedError, match="Sequential has PReLU, with one for each channel"
    ):
        RATIONAL.at(nn.Sequential(nn.PReLU(3)), [], 5.0)
    with pytest.raises(ScoreUndefinedError, match="Linear has no activation module"):
        RATIONAL.at(nn.Linear(2, 2), [], 5.0)
    one = copy.deepcopy(nn.Sequential(nn.PReLU()))
    with RATIONAL.at(one, givens(build("convolutions"))["images"], 5.0).transformed:
        assert one(torch.ones(1)).isfinite().all()
