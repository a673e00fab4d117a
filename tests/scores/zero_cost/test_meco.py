from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.zero_cost.meco import meco, smallest_eigenvalues

BATCH = np.load(Path(__file__).parents[2] / "reference" / "networks" / "batch.npz")


class Maps(nn.Module):
    """One layer on the images as maps, then the mean over positions."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, images):
        return self.layer(images).mean(dim=(2, 3))


def one_image(rows):
    return torch.tensor(rows, dtype=torch.float64)[None, :, None, :]


def test_closed_form():
    """Correlation [[1, r], [r, 1]] has the eigenvalues 1 ± r; r = 0.5 for these."""
    images = one_image([[1.0, -1.0, 0.0], [1.0, 0.0, -1.0]])
    np.testing.assert_allclose(meco(Maps(nn.LeakyReLU(1.0)), images), 0.5, rtol=1e-12)


def slow(maps):
    if maps.ndim < 2 or maps.shape[0] >= maps[0].size:
        return 0.0
    return np.linalg.eigvalsh(np.corrcoef(maps.reshape(len(maps), -1)))[0]


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_slow_version(small_cnn, batch, mode):
    model = small_cnn(activation=nn.SiLU).train(mode == "paper")
    x, expected = batch[0][:1], 0.0
    with torch.no_grad():
        for layer in model:
            x = layer(x)
            expected += slow(x[0].numpy())
    assert expected > 0.1
    found = meco(small_cnn(activation=nn.SiLU), batch[0], mode=mode)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_reference_without_containers(case, mode, parity):
    metric = f"meco_leaves/image0/{'eval' if mode == 'eval' else 'train'}"
    entry = case.expectations["values"][metric]
    rtol = entry[f"rtol_{str(case.dtype)[6:]}"]  # one value for both precisions
    found = meco(model=case.model, probe_images=case.images, mode=mode)
    name = f"{case.name} {str(case.dtype)[6:]}"
    parity.compare(metric, case.sources[metric]["source"], name, found, entry["value"], rtol)


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_published_program(case, mode, parity):
    """It counts containers and the network too: here 32 to 37 % more."""
    metric = f"meco/image0/{'eval' if mode == 'eval' else 'train'}"
    found = smallest_eigenvalues(case.model, case.images[:1], mode=mode, containers=True)
    parity.network(case, metric, sum(value for _, value in found))
    listed = case.expectations["values"][metric]["extra"]["per_module_float64"]
    for name, value in found:
        # Where the rank is not full, the program's eigenvalue is rounding around zero.
        assert value == pytest.approx(listed[name or "(root)"], rel=1e-3, abs=1e-6)
    assert 1.31 < sum(value for _, value in found) / meco(case.model, case.images, mode=mode) < 1.38


@pytest.mark.parametrize("mode", ["eval", "paper"])
def test_published_program_on_its_own_image(case, mode, parity):
    """64 × 64 pixels of noise: only a network without fixed sizes takes them."""
    metric = f"meco/randn64/{'eval' if mode == 'eval' else 'train'}"
    image = torch.from_numpy(BATCH["randn64"]).to(case.dtype)
    if case.name == "cnn_bn":
        found = smallest_eigenvalues(case.model, image, mode=mode, containers=True)
        parity.network(case, metric, sum(value for _, value in found))
        return
    assert "RuntimeError" in case.expectations["values"][metric]["error"]
    with pytest.raises(RuntimeError, match=r"must match|cannot be multiplied"):
        meco(case.model, image, mode=mode)


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.floats(0.1, 10), min_size=3, max_size=3),
    st.lists(st.floats(-5, 5), min_size=3, max_size=3),
    st.permutations(range(3)),
)
def test_scale_shift_and_order_of_the_channels(batch, scale, shift, order):
    image = batch[0][:1]
    model = Maps(nn.LeakyReLU(1.0))
    columns = (torch.tensor(v, dtype=torch.float64)[:, None, None] for v in (scale, shift))
    factor, offset = columns
    changed = (image * factor + offset)[:, order]
    np.testing.assert_allclose(meco(model, changed), meco(model, image), rtol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 50))
def test_bounds_and_full_rank(n_channels, n_positions, seed):
    generator = torch.Generator().manual_seed(seed)
    image = torch.randn(1, n_channels, 1, n_positions, generator=generator)
    found = meco(Maps(nn.ReLU6()), image + 3)  # far from zero and six: all channels vary
    assert 0 <= found <= 1 + 1e-12
    if n_channels >= n_positions:
        assert found == 0


def test_only_the_first_image_counts(small_cnn, batch):
    found = meco(small_cnn(), batch[0][[2, 0, 1]])
    assert found == meco(small_cnn(), batch[0][2:3]) != meco(small_cnn(), batch[0])


def test_a_constant_channel():
    images = one_image([[1.0, -1.0, 0.0, 7.0], [3.1, 3.1, 3.1, 3.1]])
    assert meco(Maps(nn.LeakyReLU(1.0)), images) == 0


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 100)

    def forward(self, images):
        return self.linear(images.permute(0, 2, 3, 1)).mean(dim=(1, 2))


def test_channels_last_are_tokens(batch):
    """64 positions and 100 channels: their rank is that of 3 channels, less the mean."""
    model = Tokens().double()
    with torch.no_grad():
        tokens = model.linear(batch[0][0].permute(1, 2, 0)).numpy().reshape(64, 100)
    np.testing.assert_allclose(meco(model, batch[0]), 0, atol=1e-12)
    image = batch[0][:1, :, :1, :2]  # two tokens
    expected = 1 - abs(np.corrcoef(tokens[:2])[0, 1])
    np.testing.assert_allclose(meco(model, image), expected, rtol=1e-9)


def test_errors(small_cnn, batch):
    with pytest.raises(InputError, match="needs one image, but got none"):
        meco(small_cnn(), batch[0][:0])
    with pytest.raises(InputError, match="must be 'eval' or 'paper', but is 'train'"):
        meco(small_cnn(), batch[0], mode="train")
    vectors = nn.Sequential(nn.Flatten(), nn.ReLU())
    with pytest.raises(ScoreUndefinedError, match="none of the 3 modules of Sequential returned"):
        meco(vectors, batch[0])
    images = batch[0].clone()
    images[0] = np.nan
    with pytest.raises(ScoreUndefinedError, match="output of layer '0' is not finite"):
        meco(small_cnn(), images)
    pooled = nn.Sequential(
        nn.Conv2d(3, 3, 1), nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(3), nn.Flatten()
    ).double()
    with pytest.raises(ScoreUndefinedError, match=r"more than 1 value per channel.*mode='eval'"):
        meco(pooled, batch[0], mode="paper")
    with pytest.raises(ValueError, match="another"):
        meco(nn.Sequential(Failing()), batch[0])


class Failing(nn.Module):
    def forward(self, _):
        raise ValueError("another")
