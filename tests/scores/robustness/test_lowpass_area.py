import numpy as np
import pytest
import torch

from zoo_eval.scores.robustness.lowpass_area import lowpass_area

RADII = (1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


def test_equals_the_area_over_filtered_images(trained):
    images = trained.batch.double().numpy()
    size = images.shape[-1]
    fy, fx = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size), indexing="ij")
    kept = []
    for radius in RADII:
        passes = np.hypot(fx, fy) <= radius / 2 + 1e-9
        filtered = np.fft.ifft2(np.fft.fft2(images) * passes).real
        kept.append(trained.agreement(batch=torch.from_numpy(filtered).float()))
    expected = np.trapezoid(kept, RADII) / -0.9
    assert lowpass_area(**trained.givens()) == pytest.approx(expected, abs=2e-3)  # one image


def test_trained_networks_miss_frequencies_more_than_noise_disturbs(trained):
    found = lowpass_area(**trained.givens(), measure="cka")
    assert found < lowpass_area(**trained.givens(), measure="cka", control=True)
