import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.robustness.gradient_centroid import gradient_centroid

SIZE = 16
IMAGES = torch.randn(5, 1, SIZE, SIZE, dtype=torch.float64)


def linear(weight):
    """A network whose winning logit is w·x, so that its input gradient is w."""
    head = nn.Linear(weight.size, 2).double()
    head.weight.data = torch.from_numpy(np.stack([weight.ravel(), 0 * weight.ravel()]))
    head.bias.data = torch.tensor([1e6, 0.0], dtype=torch.float64)
    return nn.Sequential(nn.Flatten(), head)


def wave(cycles_x, cycles_y):
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.cos(2 * np.pi * (cycles_x * x + cycles_y * y) / SIZE)


@pytest.mark.parametrize(
    ("cycles", "frequency"), [((3, 0), 3 / 8), ((3, 4), 5 / 8), ((8, 8), 2**0.5)]
)
def test_a_network_that_listens_to_one_wave(cycles, frequency):
    # k cycles over 16 pixels are k / 8 of the Nyquist frequency.
    assert gradient_centroid(linear(wave(*cycles)), IMAGES) == pytest.approx(frequency, rel=1e-9)


def test_a_mean_has_frequency_zero_and_a_pixel_has_all():
    assert gradient_centroid(linear(np.ones((SIZE, SIZE))), IMAGES) == pytest.approx(0, abs=1e-12)
    impulse = np.zeros((SIZE, SIZE))
    impulse[3, 5] = -2
    frequencies = 2 * np.hypot(*np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE)))
    expected = pytest.approx(frequencies.mean(), rel=1e-9)
    assert gradient_centroid(linear(impulse), IMAGES) == expected


def test_white_noise():
    rng = np.random.default_rng(0)
    found = [
        gradient_centroid(linear(rng.standard_normal((SIZE, SIZE))), IMAGES) for _ in range(20)
    ]
    assert np.mean(found) == pytest.approx(0.7652, abs=0.02)  # the mean radius of a square


def test_the_gradient_of_a_real_network_by_differences(trained):
    batch = trained.batch[:1].double()
    model = trained.model.double()
    try:
        found = gradient_centroid(model, batch)
        by_image = []
        for image in batch:
            winner = int(model(image[None]).argmax())
            flat, gradient = image.flatten(), torch.zeros(image.numel(), dtype=torch.float64)
            for start in range(0, len(flat), 512):
                steps = torch.eye(len(flat), dtype=torch.float64)[start : start + 512] * 1e-6
                with torch.no_grad():
                    up, down = (
                        model((flat + sign * steps).view(-1, *image.shape))[:, winner]
                        for sign in (1, -1)
                    )
                gradient[start : start + 512] = (up - down) / 2e-6
            spectrum = np.abs(np.fft.fft2(gradient.view(image.shape).numpy()))
            size = image.shape[-1]
            radius = 2 * np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
            by_image.append(np.mean([(s * radius).sum() / s.sum() for s in spectrum]))
    finally:
        trained.model.float()
    assert found == pytest.approx(np.mean(by_image), rel=1e-3)


def test_no_gradient():
    with pytest.raises(ScoreUndefinedError, match="gradients of 5 of 5 images are zero"):
        gradient_centroid(linear(np.zeros((SIZE, SIZE))), IMAGES)
