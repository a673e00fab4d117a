import numpy as np
import pytest
import torch

from zoo_eval.scores.robustness.noise_area import noise_area

SIZES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


def add(size, generator):
    def change(weights):
        for weight in weights:
            weight += torch.randn(weight.shape, generator=generator) * size * weight.std()

    return change


def test_about_that_of_copies_with_other_noise(trained):
    # Other draws of as much noise, twelve of each: means of agreements are alike to some points.
    generator = torch.Generator().manual_seed(1)
    kept = [np.mean([trained.agreement(add(size, generator)) for _ in range(12)]) for size in SIZES]
    expected = np.trapezoid(kept, np.log2(SIZES)) / np.log2(50)
    assert noise_area(**trained.givens()) == pytest.approx(expected, abs=0.06)


def test_each_measure_loses_something(trained):
    for measure in ("agreement", "fidelity", "cka", "accuracy"):
        assert 0.2 < noise_area(**trained.givens("head_labels"), measure=measure) < 1


def test_there_is_no_control_of_what_is_random(trained):
    assert "control" not in noise_area.options
