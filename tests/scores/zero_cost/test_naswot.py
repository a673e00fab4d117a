import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.zero_cost.naswot import naswot


class Activation(nn.Module):
    """The images' numbers as they are, through one activation."""

    def __init__(self, activation):
        super().__init__()
        self.activation = activation

    def forward(self, images):
        return self.activation(images.flatten(1))


RELU = Activation(nn.ReLU())


def test_closed_form(as_images):
    """Codes 110 and 100 of three units agree in two: det [[3, 2], [2, 3]] = 5."""
    images = as_images([[1.0, 2.0, -1.0], [0.5, 0.0, -3.0]])
    np.testing.assert_allclose(naswot(model=RELU, probe_images=images), np.log(5), rtol=1e-12)


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
    found = naswot(model=small_cnn(activation=activation), probe_images=batch[0], mode=mode)
    np.testing.assert_allclose(found, np.linalg.slogdet(kernel)[1], rtol=1e-12)


@pytest.mark.parametrize("program", ["naswot_hook_logdet", "nwot_naslib"])
@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_published_programs(case, program, mode, parity):
    """The programs know ReLU alone; for the transformer with GELU they give −∞."""
    metric = f"{program}/{'train' if mode == 'paper' else 'eval'}"
    found = naswot(model=case.model, probe_images=case.images, mode=mode)
    if case.name == "vit":
        assert case.expected(metric)[0] == -np.inf
        assert np.isfinite(found)
    else:
        parity.network(case, metric, found)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    found = naswot(model=small_cnn(), probe_images=batch[0][order])
    np.testing.assert_allclose(found, naswot(model=small_cnn(), probe_images=batch[0]), rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 8), st.integers(0, 100))
def test_hadamards_bound(n, seed):
    images = torch.randn(n, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    assert naswot(model=RELU, probe_images=images) <= n * np.log(192)


def test_errors(small_cnn, batch, as_images):
    with pytest.raises(InputError, match="compares images, but got 1 of them"):
        naswot(model=small_cnn(), probe_images=batch[0][:1])
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        naswot(model=small_cnn(), probe_images=batch[0], mode="train")
    images = batch[0].clone()
    images[5] = images[2]
    message = r"6 images and 192 units is singular; images 2 and 5 agree in 192 units"
    with pytest.raises(ScoreUndefinedError, match=message):
        naswot(model=RELU, probe_images=images)
    with pytest.raises(ScoreUndefinedError, match=r"4 images and 2 units is singular"):
        naswot(model=RELU, probe_images=as_images([[1.0, 1], [1, -1], [-1, 1], [-1, -1]]))
    images[5, 0, 0, 0] = float("nan")
    with pytest.raises(ScoreUndefinedError, match="logits of 1 of 6 images are NaN"):
        naswot(model=RELU, probe_images=images)
    with pytest.raises(ScoreUndefinedError, match="Activation ran none with elu, silu, swish"):
        naswot(model=Activation(nn.Sigmoid()), probe_images=batch[0])
