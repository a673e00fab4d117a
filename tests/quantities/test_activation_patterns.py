import copy
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities.activation_patterns import (
    activation_patterns,
    is_activation,
    read_patterns,
)


class Activation(nn.Module):
    """The images' numbers as they are, through one activation."""

    def __init__(self, activation):
        super().__init__()
        self.activation = activation

    def forward(self, images):
        return self.activation(images.flatten(1))


RELU = Activation(nn.ReLU())


def as_images(rows):
    return torch.as_tensor(np.asarray(rows, dtype=np.float64))[:, :, None, None]


def draw(n, n_units, seed=0):
    return as_images(np.random.default_rng(seed).normal(size=(n, n_units)))


def assert_equal(found, expected):
    assert found.n_units == expected.n_units
    assert found.n_distinct_units == expected.n_distinct_units
    np.testing.assert_array_equal(found.code_products, expected.code_products)
    np.testing.assert_array_equal(found.units_by_images_on, expected.units_by_images_on)


def test_closed_form():
    """Two images, units on for: both, the first, none, none (0 is off), the second."""
    found = activation_patterns(RELU, as_images([[1, 2, -1, 0, -5], [3, -2, -1, -4, 0.1]]))
    assert found.n_units == 5
    assert found.n_distinct_units == 4
    np.testing.assert_array_equal(found.code_products, [[5, 1], [1, 5]])
    np.testing.assert_array_equal(found.units_by_images_on, [2, 2, 1])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 70), st.integers(1, 40), st.integers(0, 100))
def test_slow_version(n, n_units, seed):
    """With all codes at hand. Patterns of up to 64 images are numbers, of more bytes."""
    images = draw(n, n_units, seed)
    on = images[:, :, 0, 0].numpy() > 0
    codes = np.where(on, 1.0, -1.0)
    found = activation_patterns(RELU, images)
    assert found.n_distinct_units == len({tuple(column) for column in on.T})
    np.testing.assert_array_equal(found.code_products, codes @ codes.T)
    expected = [(on.sum(axis=0) == k).sum() for k in range(n + 1)]
    np.testing.assert_array_equal(found.units_by_images_on, expected)


@pytest.mark.parametrize("n", [5, 66])
def test_units_in_chunks_are_the_same_units(n, monkeypatch):
    """Also when repeated patterns are dropped again and again."""
    images = draw(n, 500)
    expected = activation_patterns(RELU, images)
    assert expected.n_distinct_units == (32 if n == 5 else 500)
    monkeypatch.setattr("zoo_eval.quantities.activation_patterns._CHUNK", 7)
    monkeypatch.setattr("zoo_eval.quantities.activation_patterns._BUFFER", 10)
    assert_equal(activation_patterns(RELU, images), expected)


def test_all_patterns_of_four_images():
    rows = np.array(list(itertools.product([-1, 1], repeat=4))).T
    found = activation_patterns(RELU, as_images(np.hstack([rows, rows])))
    assert found.n_distinct_units == 16
    np.testing.assert_array_equal(found.units_by_images_on, [2, 8, 12, 8, 2])


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
def test_one_rule_for_all_activations(activation):
    images = draw(6, 30)
    expected = activation_patterns(RELU, images)
    assert_equal(activation_patterns(Activation(activation.double()), images), expected)


@pytest.mark.parametrize("gate", [nn.Sigmoid(), nn.Tanh(), nn.Hardsigmoid(), nn.Softmax(dim=1)])
def test_gates_are_no_activations(gate):
    assert not is_activation(gate)
    message = r"need activation modules, but Activation ran none with elu, silu, swish, mish"
    with pytest.raises(ScoreUndefinedError, match=message):
        activation_patterns(Activation(gate), draw(3, 5))


class Pooled(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, images):
        return self.layers(images).mean(dim=(2, 3))


def norms_of_timm():
    ensure_torchvision()
    from timm.layers import (
        BatchNormAct2d,
        FrozenBatchNormAct2d,
        GroupNormAct,
        LayerNormAct2d,
        SyncBatchNormAct,
    )

    norms = [BatchNormAct2d(4), FrozenBatchNormAct2d(4), GroupNormAct(4, num_groups=2)]
    sync = SyncBatchNormAct(4)
    sync.act = nn.ReLU(inplace=True)  # set from outside by timm when it converts a network
    return [*norms, LayerNormAct2d(4), sync]


@pytest.mark.parametrize("norm", norms_of_timm(), ids=lambda norm: type(norm).__name__)
def test_activations_inside_of_timms_norms(norm):
    """As if the activation came after the norm; the norm itself is put in here by hand."""
    norm = norm.double().eval()
    alone = copy.deepcopy(norm)
    alone.act = nn.Identity()
    images = draw(5, 36).reshape(5, 4, 3, 3)
    found = activation_patterns(Pooled(norm), images)
    assert found.n_units == 36
    assert_equal(found, activation_patterns(Pooled(alone, nn.ReLU()), images))


class Windows(nn.Module):
    """The same units in four windows per image, and an activation of coordinates."""

    def __init__(self):
        super().__init__()
        self.windowed, self.position = nn.GELU(), nn.ReLU()

    def forward(self, images):
        self.position(torch.linspace(-1, 1, 5))
        return self.windowed(images.reshape(len(images) * 4, -1)).reshape(len(images), -1)


def test_windows_belong_to_their_image_and_coordinates_to_none():
    images = draw(6, 40)
    assert_equal(activation_patterns(Windows(), images), activation_patterns(RELU, images))


def test_which_activations_count():
    model = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.GELU())
    images = draw(4, 10)
    found = read_patterns(model, images, "eval", lambda module, _: isinstance(module, nn.ReLU))
    assert_equal(found, activation_patterns(RELU, images))
    assert activation_patterns(model, images).n_units == 20


def test_train_mode_uses_the_batch():
    norm = nn.BatchNorm1d(7, affine=False).double().eval()
    model = nn.Sequential(nn.Flatten(), norm, nn.ReLU())
    images = draw(5, 7) + 10
    centred = images - images.mean(dim=0)
    assert_equal(read_patterns(model, images, "train"), activation_patterns(RELU, centred))
    assert activation_patterns(model, images).n_distinct_units == 1
    assert float(norm.running_mean.abs().max()) == 0


def test_outputs_that_are_nan():
    images = draw(6, 5)
    images[5, 0] = float("nan")
    with pytest.raises(ScoreUndefinedError, match="logits of 1 of 6 images are NaN"):
        activation_patterns(RELU, images)


def test_hooks_are_gone_after_an_error():
    model = nn.Sequential(nn.ReLU(), nn.Unflatten(1, (2, 2)))
    with pytest.raises(RuntimeError, match=r"(?i)unflatten"):
        activation_patterns(model, draw(3, 5))
    assert not model[0]._forward_pre_hooks
