import numpy as np
import pytest
import torch
from scipy.special import ndtri

from zoo_eval.transforms.shift import shift_scale, with_shifts

BITS = (2, 3, 4)


def codes(scale, bits):
    powers = scale * 2.0 ** np.arange(2 ** (bits - 1))
    return np.concatenate([-powers, powers])


def error(row, scale, bits):
    return np.square(row[:, None] - codes(scale, bits)).min(axis=1).sum()


@pytest.mark.parametrize(("bits", "lost"), [(2, 0.1581), (3, 0.0442), (4, 0.0377)])
def test_normal_weights(bits, lost):
    # The least error of a normal variable over a fine grid of scales, by numerical integration.
    row = ndtri((np.arange(100_000) + 0.5) / 100_000)[None]
    changed = with_shifts(torch.from_numpy(row), bits).numpy()
    assert np.square(row - changed).sum() / np.square(row).sum() == pytest.approx(lost, abs=1e-4)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("heavy", [False, True])
def test_no_scale_of_a_fine_grid_is_better(bits, heavy):
    rng = np.random.default_rng(bits)
    rows = rng.standard_t(1.5, (4, 60)) if heavy else rng.standard_normal((4, 60))
    scales = shift_scale(torch.from_numpy(rows), bits).numpy()[:, 0]
    for row, scale in zip(rows, scales, strict=True):
        grid = np.abs(row).max() * np.exp(np.linspace(np.log(1e-4), np.log(2), 4000))
        best = min(error(row, a, bits) for a in grid)
        assert error(row, scale, bits) <= best * 1.03  # the grid of candidates is coarser


@pytest.mark.parametrize("bits", BITS)
def test_each_weight_takes_the_nearest_value(bits):
    weight = torch.randn(3, 5, 2, 2, dtype=torch.float64)
    scales = shift_scale(weight.flatten(1), bits).numpy()[:, 0]
    changed = with_shifts(weight, bits).flatten(1).numpy()
    for row, scale, quantised in zip(weight.flatten(1).numpy(), scales, changed, strict=True):
        table = codes(scale, bits)
        nearest = table[np.abs(row[:, None] - table).argmin(axis=1)]
        np.testing.assert_allclose(quantised, nearest, rtol=1e-12)


@pytest.mark.parametrize("bits", BITS)
def test_powers_of_two_are_kept(bits):
    exponents = torch.arange(2 ** (bits - 1), dtype=torch.float64)
    rows = torch.stack([0.3 * 2**exponents, -0.7 * 2**exponents, 5 * 2 ** (exponents // 2)])
    torch.testing.assert_close(with_shifts(rows, bits), rows, rtol=1e-12, atol=0)


@pytest.mark.parametrize("bits", BITS)
def test_there_is_no_zero_unless_all_are(bits):
    weight = torch.randn(4, 50)
    weight[0, :25] = 0
    weight[1] = 0
    changed = with_shifts(weight, bits)
    assert (changed[[0, 2, 3]] != 0).all()
    assert (changed[0, :25] > 0).all()  # 0 counts as positive
    assert (changed[1] == 0).all()
    assert len(changed[2].unique()) <= 2**bits


def test_the_scale_follows_the_weights():
    rows = torch.randn(3, 40, dtype=torch.float64)
    torch.testing.assert_close(shift_scale(2 * rows, 3), 2 * shift_scale(rows, 3))
