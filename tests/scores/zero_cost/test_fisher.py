import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.zero_cost.fisher import fisher


def test_closed_form(layer, as_images):
    """Outputs a = (0, ln 3), p = (1/4, 3/4), label 0: a ⊙ (p − y) = (0, ¾ ln 3).

    Δ = ½ (¾ ln 3)², counted once for each of the two weights that feed the channel.
    """
    model = layer([[0.0, 0.0], [np.log(3), 0.0]])
    found = fisher(
        model=model, probe_images=as_images([[1.0, 5.0]]), probe_labels=torch.tensor([0])
    )
    np.testing.assert_allclose(found, 2 * (0.75 * np.log(3)) ** 2 / 2, rtol=1e-12)


def slow(model, images, labels):
    """Layer by layer, with the activations written out of place and kept by hand."""
    x, outputs = images, []
    for module in model:
        x = getattr(F, module.__class__.__name__.lower())(x) if is_activation(module) else module(x)
        if isinstance(module, nn.Conv2d | nn.Linear):
            x.retain_grad()
            outputs.append((module, x))
    F.cross_entropy(x, labels).backward()
    total = 0.0
    for module, a in outputs:
        products = (a.detach() * a.grad).numpy()
        per_image = products.reshape(*products.shape[:2], -1).sum(axis=2)  # (n, channels)
        for delta in 0.5 * (per_image**2).mean(axis=0):
            total += delta * module.weight[0].numel()
    return total


def is_activation(module):
    return isinstance(module, nn.ReLU | nn.SiLU)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.SiLU])
@pytest.mark.parametrize("mode", ["eval", "paper"])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_slow_version(small_cnn, batch, activation, mode, batch_norm):
    """SiLU in place overwrites the convolution's output with other values."""
    found = fisher(
        model=small_cnn(batch_norm, activation),
        probe_images=batch[0],
        probe_labels=batch[1],
        mode=mode,
    )
    expected = slow(small_cnn(batch_norm, activation).train(mode == "paper"), *batch)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_published_program(case, parity):
    """The program for convolutional networks; our definition of the channel for all.

    For the transformer the program takes tokens for channels: 0.3746 in place of 0.3996.
    """
    found = fisher(**case.givens, mode="paper")
    parity.network(case, "fisher_channels_last/train", found)
    if case.name == "vit":
        value, _ = case.expected("fisher/train")
        assert round(value, 4) == 0.3746
        assert round(found, 4) == 0.3996
    else:
        parity.network(case, "fisher/train", found)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    images, labels = batch
    found = fisher(model=small_cnn(), probe_images=images[order], probe_labels=labels[order])
    expected = fisher(model=small_cnn(), probe_images=images, probe_labels=labels)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


class Tokens(nn.Module):
    """Mixes pixels in windows of the image, with one of three ways to apply the same weight."""

    def __init__(self, how):
        super().__init__()
        self.mix, self.head, self.how = nn.Linear(3, 5), nn.Linear(5, 4), how

    def forward(self, images):
        x = images.flatten(2).transpose(1, 2)
        if self.how == "windows":  # (n, 64, 3) -> (4n, 16, 3), as in Swin
            x = self.mix(x.reshape(-1, 16, 3)).reshape(len(images), 64, 5)
        elif self.how == "function":  # past the module, as BEiT does
            x = F.linear(input=x, weight=self.mix.weight, bias=self.mix.bias)
        else:
            x = self.mix(x)
        return self.head(x.tanh().mean(dim=1))


@pytest.mark.parametrize("how", ["windows", "function"])
def test_windows_and_functions_change_nothing(batch, how):
    torch.manual_seed(0)
    model = Tokens("module").double()
    givens = {"model": model, "probe_images": batch[0], "probe_labels": batch[1]}
    expected = fisher(**givens)
    model.how = how
    np.testing.assert_allclose(fisher(**givens), expected, rtol=1e-12)
    assert expected > 0


class WithPosition(nn.Module):
    """A linear layer that sees five coordinates, not images, as in Swin v2."""

    def __init__(self):
        super().__init__()
        self.position, self.head = nn.Linear(1, 3, bias=False), nn.Linear(3, 4)

    def forward(self, images):
        table = self.position(torch.arange(5.0, dtype=torch.float64)[:, None])
        return self.head(images.mean(dim=(2, 3)) + table.sum(dim=0))


def test_layers_that_see_no_images_count_as_one_image(batch):
    torch.manual_seed(0)
    model = WithPosition().double()
    table = model.position.weight[:, 0] * 10  # summed over the coordinates 0 … 4
    images = batch[0].mean(dim=(2, 3))
    table = table.detach().requires_grad_()
    logits = model.head(images + table)
    logits.retain_grad()
    F.cross_entropy(logits, batch[1]).backward()
    head = (logits.detach() * logits.grad).square().mean(dim=0).sum() / 2 * 3
    position = (table.detach() * table.grad).square().sum() / 2
    found = fisher(model=model, probe_images=batch[0], probe_labels=batch[1])
    np.testing.assert_allclose(found, float(head + position), rtol=1e-12)


def test_zero_head_without_bias(layer, as_images):
    model = layer([[0.0], [0.0]])
    assert fisher(model=model, probe_images=as_images([[1.0]]), probe_labels=torch.tensor([0])) == 0


def test_errors_leave_no_hooks(small_cnn, batch):
    model = small_cnn()
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        fisher(model=model, probe_images=batch[0], probe_labels=batch[1], mode="train")
    with pytest.raises(InputError, match="run from 1 to 4, but the network has outputs 0 to 3"):
        fisher(model=model, probe_images=batch[0], probe_labels=batch[1] + 1)
    assert not any(module._forward_hooks for module in model.modules())
    with pytest.raises(ScoreUndefinedError, match="Flatten has no convolution"):
        fisher(model=nn.Flatten(), probe_images=batch[0], probe_labels=batch[1])
