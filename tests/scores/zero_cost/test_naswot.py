import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.scores.zero_cost.naswot import naswot


class Activation(nn.Module):
    """The images' numbers as they are, through one activation."""

    def __init__(self, activation):
        super().__init__()
        self.activation = activation

    def forward(self, images):
        return self.activation(images.flatten(1))


def test_closed_form(as_images):
    """Codes 110 and 100 of three units agree in two: det [[3, 2], [2, 3]] = 5."""
    images = as_images([[1.0, 2.0, -1.0], [0.5, 0.0, -3.0]])
    np.testing.assert_allclose(naswot(Activation(nn.ReLU()), images), np.log(5), rtol=1e-12)


@pytest.mark.parametrize("mode", ["eval", "paper"])
@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
def test_slow_version(small_cnn, batch, mode, activation):
    """The paper's X Xᵀ + (1 − X)(1 − X)ᵀ, with each activation's input taken by hand."""
    model = small_cnn(activation=activation).train(mode == "paper")
    x, kernel = batch[0], np.zeros((6, 6))
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, activation):
                on = (x.flatten(1) > 0).double().numpy()
                kernel += on @ on.T + (1 - on) @ (1 - on).T
            x = layer(x)
    found = naswot(small_cnn(activation=activation), batch[0], mode=mode)
    np.testing.assert_allclose(found, np.linalg.slogdet(kernel)[1], rtol=1e-12)


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_published_program(case, mode):
    """The program knows ReLU alone; for the transformer with GELU it gives −∞."""
    names = {"eval": "naswot_hook_logdet/eval", "paper": "naswot_hook_logdet/train"}
    value, rtol = case.expected(names[mode])
    found = naswot(model=case.model, probe_images=case.images, mode=mode)
    if case.name == "vit":
        assert value == -np.inf
        assert np.isfinite(found)
    else:
        np.testing.assert_allclose(found, value, rtol=rtol)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    found = naswot(small_cnn(), batch[0][order])
    np.testing.assert_allclose(found, naswot(small_cnn(), batch[0]), rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 8), st.integers(0, 100))
def test_hadamards_bound(n, seed):
    images = torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    assert naswot(Activation(nn.ReLU()), images) <= n * np.log(192)


def test_units_in_chunks_are_the_same_units(small_cnn, batch, monkeypatch):
    expected = naswot(small_cnn(), batch[0])
    monkeypatch.setattr("zoo_eval.scores.zero_cost.naswot._CHUNK", 7)
    assert naswot(small_cnn(), batch[0]) == expected


def activations_of_torch_and_timm():
    ensure_torchvision()
    from timm.layers import get_act_layer

    timm_names = ("relu", "gelu", "gelu_tanh", "quick_gelu", "hard_mish", "prelu", "silu", "mish")
    own = [get_act_layer(name)() for name in timm_names]
    own += [nn.ReLU6(), nn.LeakyReLU(), nn.ELU(), nn.CELU(), nn.SELU(), nn.RReLU(), nn.Hardswish()]
    return own


@pytest.mark.parametrize(
    "activation", activations_of_torch_and_timm(), ids=lambda a: type(a).__name__
)
def test_one_rule_for_all_activations(activation, batch):
    expected = naswot(Activation(nn.ReLU()), batch[0])
    assert naswot(Activation(activation.double()), batch[0]) == expected


@pytest.mark.parametrize("gate", [nn.Sigmoid(), nn.Tanh(), nn.Hardsigmoid(), nn.Softmax(dim=1)])
def test_gates_are_no_activations(gate, batch):
    message = r"needs activation modules, but Activation ran none with elu, silu, swish, mish"
    with pytest.raises(ScoreUndefinedError, match=message):
        naswot(Activation(gate), batch[0])


class Windows(nn.Module):
    """The same units in four windows per image, and an activation of coordinates."""

    def __init__(self):
        super().__init__()
        self.windowed, self.position = nn.GELU(), nn.ReLU()

    def forward(self, images):
        self.position(torch.linspace(-1, 1, 5))
        return self.windowed(images.reshape(len(images) * 4, -1)).reshape(len(images), -1)


def test_windows_belong_to_their_image_and_coordinates_to_none(batch):
    assert naswot(Windows(), batch[0]) == naswot(Activation(nn.ReLU()), batch[0])


def test_errors(small_cnn, batch, as_images):
    with pytest.raises(InputError, match="compares images, but got 1 of them"):
        naswot(small_cnn(), batch[0][:1])
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        naswot(small_cnn(), batch[0], mode="train")
    images = batch[0].clone()
    images[5] = images[2]
    message = r"6 images and 192 units is singular; images 2 and 5 agree in 192 units"
    with pytest.raises(ScoreUndefinedError, match=message):
        naswot(Activation(nn.ReLU()), images)
    with pytest.raises(ScoreUndefinedError, match=r"4 images and 2 units is singular"):
        naswot(Activation(nn.ReLU()), as_images([[1.0, 1], [1, -1], [-1, 1], [-1, -1]]))
    images[5, 0, 0, 0] = float("nan")
    with pytest.raises(ScoreUndefinedError, match="logits of 1 of 6 images are NaN"):
        naswot(Activation(nn.ReLU()), images)


def test_hooks_are_gone_after_an_error(batch):
    model = nn.Sequential(nn.ReLU(), nn.Unflatten(1, (2, 2)))
    with pytest.raises(RuntimeError, match=r"(?i)unflatten"):
        naswot(model, batch[0])
    assert not model[0]._forward_pre_hooks
