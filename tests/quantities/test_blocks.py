"""Blocks of a network: which modules they are, entropies of their outputs, gains of gradients."""

import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities import blocks as module
from zoo_eval.quantities.blocks import block_statistics, blocks


class Block(nn.Module):
    """Two 1 × 1 convolutions with an activation between them, a skip connection around them."""

    def __init__(self, n_in, n_out, stride=1, skip=True, inplace=True):
        super().__init__()
        self.first = nn.Conv2d(n_in, n_out, stride, stride=stride)
        self.act = nn.ReLU(inplace=inplace)
        self.second = nn.Conv2d(n_out, n_out, 1)
        self.skip = skip

    def forward(self, x):
        y = self.second(self.act(self.first(x)))
        return x + y if self.skip else y


def network(*chain):
    torch.manual_seed(0)
    stem = nn.Conv2d(3, 4, 1)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(2))
    model = nn.Sequential(stem, nn.Sequential(*chain), head).double()
    model(torch.zeros(1, 3, 8, 8, dtype=torch.float64))
    return model.eval()


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(5, 3, 8, 8, generator=generator, dtype=torch.float64)


def slow_entropy(outputs):
    channels = outputs.movedim(1, 0).flatten(1).numpy()
    p = np.linalg.eigvalsh(np.cov(channels))
    p = p / p.sum()
    p = p[p > 1e-15]
    return -(p * np.log(p)).sum()


def test_entropies_are_those_of_the_covariance(images):
    model = network(Block(4, 4), Block(4, 6, stride=2, skip=False))
    found = block_statistics(model, images).entropies
    with torch.no_grad():
        first = model[1][0](model[0](images))
        second = model[1][1](first)
    np.testing.assert_allclose(found, [slow_entropy(first), slow_entropy(second)], rtol=1e-9)


def test_a_linear_block_has_the_gain_of_its_matrix():
    """1 × 1 convolutions without activation: A = B W, so AᵀB / m → Wᵀ when m is large."""

    class Linear(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 3, 1)

        def forward(self, x):
            return self.second(self.first(x))

    model = network(Linear())
    (gain,) = block_statistics(model, torch.randn(40, 3, 32, 32).double()).gains
    matrix = (model[1][0].second.weight.flatten(1) @ model[1][0].first.weight.flatten(1)).detach()
    expected = np.linalg.norm(matrix.numpy(), 2)
    assert gain == pytest.approx(expected, rel=0.02)  # random signs: 1/√40960 per entry


def test_a_block_that_passes_its_input_on_has_gain_about_one():
    model = network(Block(4, 4))
    nn.init.zeros_(model[1][0].second.weight)
    (gain,) = block_statistics(model, torch.randn(40, 3, 32, 32).double()).gains
    assert gain == pytest.approx(1, abs=0.02)  # BᵀB / m: ones, and noise of 1/√40960 beside them


def test_positions_that_fall_together_count_as_channels(images):
    """A strided block against the explicit sum over positions."""
    model = network(Block(4, 6, stride=2, skip=False))
    (gain,) = block_statistics(model, images).gains
    with torch.random.fork_rng():
        torch.manual_seed(0)
        inputs = model[0](images).detach().requires_grad_()
        outputs = model[1][0](inputs)
        signs = (torch.randint(0, 2, outputs.shape) * 2 - 1).double()
    (pulled,) = torch.autograd.grad(outputs, inputs, signs)
    total = 0
    for i in range(5):
        for y in range(4):
            for x in range(4):
                window = pulled[i, :, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].reshape(-1)
                total = total + torch.outer(window, signs[i, :, y, x])
    expected = np.linalg.norm((total / (5 * 16)).numpy(), 2)
    assert gain == pytest.approx(expected, rel=1e-9)


def test_operations_in_place_after_a_block_change_nothing(images):
    """A following in-place activation overwrites the block's output."""
    model = network(Block(4, 4), nn.ReLU())
    expected = block_statistics(model, images)
    model[1][1].inplace = True
    assert block_statistics(model, images) == expected


def test_grids_that_do_not_divide_have_no_gain():
    model = network(Block(4, 4, stride=2, skip=False))
    found = block_statistics(model, torch.randn(3, 3, 9, 9).double())
    assert (len(found.entropies), found.gains) == (1, ())


def test_no_blocks():
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Flatten(), nn.LazyLinear(2))
    model(torch.zeros(1, 3, 2, 2))
    with pytest.raises(ScoreUndefinedError, match="Sequential has no block"):
        block_statistics(model, torch.zeros(2, 3, 2, 2))


def test_a_large_scale_changes_nothing(images):
    model = network(Block(4, 4, skip=False))
    before = block_statistics(model, images).entropies
    with torch.no_grad():
        model[1][0].second.weight.mul_(2.0**600)
        model[1][0].second.bias.mul_(2.0**600)
    assert block_statistics(model, images).entropies == pytest.approx(before, rel=1e-9)


def test_overflow(images):
    model = network(Block(4, 4, skip=False))
    for weight in (model[1][0].first.weight, model[1][0].second.weight):
        nn.init.constant_(weight, 1e160)
    for bias in (model[0].bias, model[1][0].first.bias):
        nn.init.zeros_(bias)
    with pytest.raises(ScoreUndefinedError, match=r"gradients of a block, of shape \(5, 4, 8, 8\)"):
        block_statistics(model, images * 1e-200)
    nn.init.constant_(model[1][0].second.weight, float("inf"))
    with pytest.raises(ScoreUndefinedError, match=r"outputs of a block, of shape \(5, 4, 8, 8\)"):
        block_statistics(model, images)


@pytest.mark.parametrize(
    ("name", "n_blocks", "kind"),
    [
        ("test_resnet", 4, {"BasicBlock", "Bottleneck"}),
        ("test_vit", 6, {"Block"}),
        ("test_convnext", 9, {"ConvNeXtBlock"}),
        ("regnetx_002", 13, {"Bottleneck"}),
        ("swin_tiny_patch4_window7_224", 12, {"SwinTransformerBlock"}),
        ("vgg11", 0, set()),
    ],
)
def test_blocks_of_timm_networks(name, n_blocks, kind):
    ensure_torchvision()
    import timm

    with torch.device("meta"):
        found = blocks(timm.create_model(name))
    assert (len(found), {type(block).__name__ for block in found}) == (n_blocks, kind)


@pytest.mark.parametrize("first", [1, 10**6])
@pytest.mark.parametrize(("m", "p", "q"), [(3, 40, 30), (50, 7, 60), (200, 31, 30)])
def test_largest_singular_value(m, p, q, first, monkeypatch):
    monkeypatch.setattr(module, "_LANCZOS_FROM", first)
    generator = torch.Generator().manual_seed(m)
    left = torch.randn(m, p, generator=generator, dtype=torch.float64)
    right = torch.randn(m, q, generator=generator, dtype=torch.float64) * 1e-3
    expected = np.linalg.norm(left.numpy().T @ right.numpy(), ord=2)
    assert module.largest_singular_value(left.T @ right) == pytest.approx(expected, rel=1e-12)
    assert module.largest_singular_value(left.T, right) == pytest.approx(expected, rel=1e-12)
    assert module.largest_singular_value(left.T * 0, right) == 0
