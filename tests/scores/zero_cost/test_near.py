import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.quantities.activation_patterns import is_activation
from zoo_eval.quantities.module_state import in_mode
from zoo_eval.scores.zero_cost._layers import has_weight, layer_outputs
from zoo_eval.scores.zero_cost.near import effective_rank, effective_ranks, near, square_block


class Head(nn.Module):
    """A layer on the maps, then the mean over positions."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, images):
        return self.layers(images).flatten(2).mean(dim=2)


def test_closed_form(layer, as_images):
    """Outputs (2, 0), (0, 1) give σ = 2, 1: exp H(2/3, 1/3) = 3 / 2^(2/3). No third row counts."""
    model = layer([[2.0, 0.0], [0.0, 1.0]])
    images = as_images([[1.0, 0.0], [0.0, 1.0], [7.0, 8.0]])
    np.testing.assert_allclose(near(model, images), 3 / 2 ** (2 / 3), rtol=1e-12)
    np.testing.assert_allclose(near(model, images[:1]), 1, rtol=1e-12)


def slow_rank(matrix):
    singular_values = np.linalg.svd(matrix, compute_uv=False)
    return np.exp(entropy(singular_values))


@pytest.mark.parametrize("rows", ["square", "all"])
@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, batch, mode, rows):
    model = small_cnn().train(mode == "paper")
    x, expected = batch[0], 0.0
    with torch.no_grad():
        for name, module in enumerate(model):
            x = module(x)
            if name in (0, 1, 2, 3, 4, 7):
                matrix = x if x.ndim == 2 else x.permute(0, 3, 2, 1).reshape(-1, x.shape[1])
                expected += slow_rank(matrix[: matrix.shape[1] if rows == "square" else None])
    found = near(small_cnn(), batch[0], rows=rows, mode=mode)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_all_rows_in_chunks(small_cnn, batch, monkeypatch):
    expected = near(small_cnn(), batch[0], rows="all")
    monkeypatch.setattr("zoo_eval.scores.zero_cost.near._CHUNK", 7)
    np.testing.assert_allclose(near(small_cnn(), batch[0], rows="all"), expected, rtol=1e-12)


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_published_program(case, mode, parity):
    """With its random start at 0. It fails on tokens."""
    metric = f"near/start0/{mode}"
    found = near(case.model, case.images, mode="eval" if mode == "eval" else "paper")
    if case.name == "vit":
        assert "IndexError" in case.expectations["values"][metric]["error"]
        assert found == pytest.approx(sum(n for _, n in token_ranks(case)), rel=1e-6)
    else:
        parity.network(case, metric, found)


def token_ranks(case):
    """Slow: each layer's outputs as rows of tokens, and as many as there are channels."""
    ranks = []

    def measure(module, _, output):
        channels = output.shape[1] if isinstance(module, nn.Conv2d) else output.shape[-1]
        if isinstance(module, nn.Conv2d):
            output = output.permute(0, 3, 2, 1)
        matrix = output.reshape(-1, channels)[:channels]
        ranks.append((channels, slow_rank(matrix.double().numpy())))

    run_with_hooks(case, measure)
    return ranks


def run_with_hooks(case, measure):
    for module in case.model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear | nn.LayerNorm | nn.GELU):
            module.register_forward_hook(measure)
    with torch.no_grad():
        case.model(case.images)


def test_rederived_value_of_the_transformer_is_none(case):
    """Its entropy is over the singular values of each image alone: more than there are channels."""
    if case.name != "vit":
        return
    n_channels = sum(n for n, _ in token_ranks(case))
    total = 0.0

    def measure(module, _, output):
        nonlocal total
        if isinstance(module, nn.Conv2d):
            output = output.permute(0, 3, 2, 1).flatten(0, 2)[: output.shape[1]]
        elif output.ndim == 2:
            output = output[: output.shape[1]]
        total += np.exp(entropy(torch.linalg.svdvals(output.double()).flatten().numpy()))

    run_with_hooks(case, measure)
    value = case.expectations["values"]["near/start0/eval"]["rederived"]
    assert total == pytest.approx(value, rel=1e-6)
    assert near(case.model, case.images) < n_channels < value


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_published_program_with_its_random_start(case, mode, parity):
    """It draws a start from NumPy's global generator, in steps of a row of the map."""
    metric = f"near/seed0/{mode}"
    generator, ranks = np.random.RandomState(0), []

    def measure(output):
        if has_weight(output.module) or is_activation(output.module):
            values = output.values
            n_rows = values.numel() // values.shape[output.channel_dim]
            n_starts = n_rows // values.shape[-1] - 1
            start = generator.randint(0, n_starts) * values.shape[-1] if n_starts > 0 else 0
            ranks.append(effective_rank(square_block(output, start), output.name))

    if case.name == "vit":
        assert "IndexError" in case.expectations["values"][metric]["error"]
        return
    watched = layer_outputs(case.model, len(case.images), measure)
    with in_mode(case.model, mode), torch.no_grad(), watched:
        case.model(case.images)
    parity.network(case, metric, sum(ranks))


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(6)))
def test_order_of_images(small_cnn, batch, order):
    """With all rows; a square of them is of the first images."""
    found = near(small_cnn(), batch[0][order], rows="all")
    np.testing.assert_allclose(found, near(small_cnn(), batch[0], rows="all"), rtol=1e-10)
    first = near(small_cnn(), batch[0][:2])  # 6 channels, and at least 4 positions
    later = near(small_cnn(), torch.cat([batch[0][:2], batch[0][order]]))
    head = [
        dict(effective_ranks(small_cnn(), x, rows="square", mode="eval"))["7"]
        for x in (batch[0][:2], torch.cat([batch[0][:2], batch[0][order]]))
    ]
    np.testing.assert_allclose(first - head[0], later - head[1], rtol=1e-10)


@settings(max_examples=10, deadline=None)
@given(st.floats(1e-3, 1e3), st.sampled_from(["square", "all"]))
def test_scale_and_rotation_of_the_channels(factor, rows):
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(6, 5, 2, 2, generator=generator, dtype=torch.float64)
    conv = nn.Conv2d(5, 5, 1, bias=False).double()
    rotation, _ = torch.linalg.qr(torch.randn(5, 5, generator=generator, dtype=torch.float64))
    conv.weight = nn.Parameter(torch.eye(5, dtype=torch.float64)[:, :, None, None])
    expected = near(Head(conv), images, rows=rows)
    conv.weight = nn.Parameter(factor * rotation[:, :, None, None])
    np.testing.assert_allclose(near(Head(conv), images, rows=rows), expected, rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 8), st.integers(1, 9), st.sampled_from(["square", "all"]))
def test_bounds(n, n_channels, rows):
    model = Head(nn.Conv2d(3, n_channels, 1, bias=False))
    images = torch.randn(n, 3, 2, 2, generator=torch.Generator().manual_seed(n))
    rank = near(model, images, rows=rows)
    assert 1 - 1e-9 <= rank <= min(n_channels, 3, 4 * n) + 1e-6


def test_timms_norm_is_a_norm_and_an_activation(batch):
    ensure_torchvision()
    from timm.layers import BatchNormAct2d

    apart = Head(nn.BatchNorm2d(3), nn.ReLU()).double()
    assert near(Head(BatchNormAct2d(3)).double(), batch[0]) == near(apart, batch[0])


def test_channels_last(batch):
    """A 1 × 1 convolution is a linear layer on the channels, with positions in another order."""
    conv = nn.Conv2d(3, 4, 1).double()
    linear = nn.Linear(3, 4).double()
    linear.weight, linear.bias = nn.Parameter(conv.weight[:, :, 0, 0]), conv.bias

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.act = linear, nn.GELU()

        def forward(self, images):
            return self.act(self.linear(images.permute(0, 2, 3, 1))).mean(dim=(1, 2))

    found = near(Last(), batch[0], rows="all")
    expected = near(Head(conv, nn.GELU()), batch[0], rows="all")
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_outputs_of_zero(layer, as_images):
    assert near(layer([[0.0, 0.0]]), as_images([[1.0, 2.0]])) == 0


def test_errors(small_cnn, batch):
    with pytest.raises(InputError, match="rows must be 'square' or 'all', but is 'some'"):
        near(small_cnn(), batch[0], rows="some")
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        near(small_cnn(), batch[0], mode="train")
    with pytest.raises(ScoreUndefinedError, match="none of the 2 modules of Sequential is one"):
        near(nn.Sequential(nn.Flatten()), batch[0])
    images = batch[0].clone()
    images[0] = np.nan
    with pytest.raises(ScoreUndefinedError, match="output of layer '0' is not finite"):
        near(small_cnn(), images)
