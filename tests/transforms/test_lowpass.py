import numpy as np
import pytest
import torch

from zoo_eval.transforms.lowpass import lowpassed


def wave(cycles_x, cycles_y, size=16):
    y, x = np.mgrid[:size, :size]
    return np.cos(2 * np.pi * (cycles_x * x + cycles_y * y) / size)


def through(image, radius):
    [batch] = lowpassed([torch.from_numpy(image)[None, None]], radius)
    return batch[0, 0].numpy()


# A wave of k cycles over 16 pixels has the frequency k / 8 of the Nyquist frequency.
@pytest.mark.parametrize(
    ("cycles", "frequency"), [((2, 0), 0.25), ((3, 4), 0.625), ((8, 8), 2**0.5)]
)
def test_waves_pass_or_do_not(cycles, frequency):
    image = wave(*cycles)
    np.testing.assert_allclose(through(image, frequency), image, atol=1e-12)
    np.testing.assert_allclose(through(image, 0.99 * frequency), 0, atol=1e-12)


def test_waves_are_told_apart_and_the_mean_stays():
    image = 5 + wave(1, 0) + wave(0, 7)
    np.testing.assert_allclose(through(image, 0.5), 5 + wave(1, 0), atol=1e-12)


def test_equals_masking_the_full_spectrum():
    image = np.random.default_rng(0).standard_normal((9, 14))
    fy, fx = np.meshgrid(np.fft.fftfreq(9), np.fft.fftfreq(14), indexing="ij")
    mask = np.hypot(fx, fy) <= 0.5 * 0.6
    expected = np.fft.ifft2(np.fft.fft2(image) * mask).real
    np.testing.assert_allclose(through(image, 0.6), expected, atol=1e-12)


def test_shape_and_type_of_batches():
    batches = [torch.randn(3, 3, 8, 6), torch.randn(1, 3, 8, 6)]
    found = list(lowpassed(batches, 0.5))
    assert [b.shape for b in found] == [b.shape for b in batches]
    assert found[0].dtype == torch.float32
