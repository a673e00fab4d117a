import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from zoo_eval.errors import InputError
from zoo_eval.quantities.module_state import (
    differentiable,
    in_mode,
    module_mode,
    plain_attention,
    twice_differentiable,
    weight_tensors,
)


class Cached(nn.Module):
    """Fills an empty buffer, replaces another, and keeps results, as caches do."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mask", None)
        self.register_buffer("table", torch.tensor([1.0, float("nan"), -0.0]), persistent=False)
        self.cache, self.n_calls = {}, 0

    def forward(self, x):
        self.mask = torch.ones(1)
        self.table = torch.zeros(2)
        self.cache["x"] = x
        self.n_calls += 1
        self.register_forward_hook(lambda *_: None)
        return x


def network():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), Cached())
    model.train()
    model[1].eval()  # a frozen norm inside a network in train mode
    return model


def bits(model):
    return {
        (prefix, name): None if buffer is None else (id(buffer), buffer.numpy().tobytes())
        for prefix, module in model.named_modules()
        for name, buffer in module._buffers.items()
    }


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("fails", [False, True])
def test_everything_is_put_back(mode, fails):
    model = network()
    flags = [module.training for module in model.modules()]
    before = bits(model)
    random_state = torch.get_rng_state()
    cache = model[3].cache
    try:
        with in_mode(model, mode):
            assert {module.training for module in model.modules()} == {mode == "train"}
            model(torch.randn(2, 3, 5, 5))
            if mode == "train":
                assert int(model[1].num_batches_tracked) == 1
            if fails:
                raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert [module.training for module in model.modules()] == flags
    assert bits(model) == before
    assert model[3].cache is cache == {}
    assert model[3].n_calls == len(model[3]._forward_hooks) == 0
    assert torch.equal(torch.get_rng_state(), random_state)


def test_dropout_is_the_same_in_every_run():
    model = nn.Dropout(0.5)
    seen = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        with in_mode(model, "train"):
            seen.append(model(torch.ones(50)))
    assert torch.equal(*seen)
    assert 0 < int((seen[0] == 0).sum()) < 50


def test_autocast_is_off_inside_and_on_again_after():
    model = nn.Linear(2, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        with in_mode(model, "eval"):
            assert model(torch.ones(1, 2)).dtype == torch.float32
        assert model(torch.ones(1, 2)).dtype == torch.bfloat16


def test_frozen_weights_are_differentiable_inside_only():
    weight, frozen = torch.ones(2, requires_grad=True), torch.ones(2)
    with torch.no_grad(), differentiable([weight, frozen]):
        gradients = torch.autograd.grad((weight * frozen * 3).sum(), [weight, frozen])
    assert [g.tolist() for g in gradients] == [[3.0, 3.0], [3.0, 3.0]]
    assert weight.requires_grad
    assert not frozen.requires_grad
    with pytest.raises(RuntimeError, match="shape"), differentiable([frozen]):
        frozen.view(3)
    assert not frozen.requires_grad
    assert torch.is_grad_enabled()


def test_attention_can_be_differentiated_twice():
    q, k, v = (torch.randn(1, 2, 5, 4, dtype=torch.float64, requires_grad=True) for _ in range(3))
    with plain_attention():
        assert torch.autograd.gradgradcheck(F.scaled_dot_product_attention, (q, k, v))


@pytest.mark.parametrize("inplace", [False, True])
def test_the_hard_sigmoid_can_be_differentiated_twice(inplace):
    gate = nn.Hardsigmoid(inplace)
    x = torch.linspace(-4.05, 4, 20, dtype=torch.float64, requires_grad=True)
    expected = gate(x.detach().clone())
    with twice_differentiable():
        torch.testing.assert_close(gate(x * 1), expected, rtol=1e-15, atol=1e-16)
        assert torch.autograd.gradgradcheck(lambda x: gate(x * x), (x,))


class Scaled(nn.Conv2d):
    """A convolution that changes its weight before using it, as weight standardisation does."""

    def forward(self, x):
        return F.conv2d(x, self.weight * 2)


def test_weights_are_those_of_convolutions_and_linear_layers_each_once():
    model = nn.Sequential()
    model.add_module("first", nn.Conv1d(2, 3, 1))
    model.add_module("second", Scaled(3, 4, 1))
    model.add_module("up", nn.ConvTranspose2d(4, 4, 1))
    model.add_module("norm", nn.BatchNorm2d(4))
    model.add_module("embedding", nn.Embedding(3, 4))
    model.add_module("head", nn.Linear(4, 4))
    model.add_module("tied", nn.Linear(4, 4))
    model.tied.weight = model.head.weight
    assert [(name, tuple(weight.shape)) for name, weight in weight_tensors(model)] == [
        ("first.weight", (3, 2, 1)),
        ("second.weight", (4, 3, 1, 1)),
        ("up.weight", (4, 4, 1, 1)),
        ("head.weight", (4, 4)),
    ]
    assert weight_tensors(nn.Linear(2, 2))[0][0] == "weight"
    assert weight_tensors(nn.ReLU()) == []


def test_computed_weights_are_not_listed():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    assert weight_tensors(layer) == []
    assert weight_tensors(copy.deepcopy(nn.Linear(2, 2)))


def test_the_words_for_a_mode():
    assert [module_mode("eval"), module_mode("paper")] == ["eval", "train"]
    with pytest.raises(InputError, match=r"mode must be 'eval' or 'paper', but is 'train'\."):
        module_mode("train")
