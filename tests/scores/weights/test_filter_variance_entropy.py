import math

import numpy as np
import pytest
import torch
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.weights.filter_variance_entropy import filter_variance_entropy


def convolution(slices, n_out):
    """A layer with these slices, (n, 3, 3)."""
    slices = torch.as_tensor(slices, dtype=torch.float64)
    layer = nn.Conv2d(len(slices) // n_out, n_out, 3).double()
    layer.weight.data = slices.reshape(n_out, -1, 3, 3)
    return layer


def test_random_slices_have_nine_directions():
    slices = np.random.default_rng(0).standard_normal((40_000, 3, 3))
    assert filter_variance_entropy(convolution(slices, 200)) == pytest.approx(np.log10(9), abs=1e-4)


def test_multiples_of_one_pattern_have_one():
    pattern = np.random.default_rng(0).standard_normal((3, 3))
    slices = np.arange(1.0, 13)[:, None, None] * pattern
    assert filter_variance_entropy(convolution(slices, 3)) == pytest.approx(0, abs=1e-12)
    assert filter_variance_entropy(convolution(np.ones((4, 1, 1)) * pattern, 2)) == 0


def test_two_directions_of_unequal_variance():
    # ±2 along one position, ±1 along another: v = 4/5 and 1/5.
    slices = np.zeros((4, 9))
    slices[0, 0], slices[1, 0], slices[2, 5], slices[3, 5] = 2, -2, 1, -1
    expected = -(0.8 * math.log10(0.8) + 0.2 * math.log10(0.2))
    found = filter_variance_entropy(convolution(slices.reshape(4, 3, 3), 2))
    assert found == pytest.approx(expected, rel=1e-12)


def test_slow_version():
    layer = nn.Conv2d(4, 5, 3)
    rows = layer.weight.detach().double().numpy().reshape(20, 9)
    eigenvalues = np.linalg.eigvalsh(np.cov(rows.T))
    v = eigenvalues / eigenvalues.sum()
    expected = -np.sum(v * np.log10(v))
    assert filter_variance_entropy(layer) == pytest.approx(expected, rel=1e-9)
    fitted = 1.2618047 / (1 + np.exp(-0.88767525 * (np.log2(20) - 2.30436435))) - 0.31050834
    of_size = filter_variance_entropy(layer, for_size=True)
    assert of_size == pytest.approx(expected / fitted, rel=1e-9)


def test_only_layers_of_3_by_3_count():
    layer = convolution(np.random.default_rng(1).standard_normal((30, 3, 3)), 5)
    model = nn.Sequential(layer, nn.Conv2d(4, 4, 5), nn.Conv2d(1, 1, 3), nn.Linear(9, 9))
    assert filter_variance_entropy(model) == filter_variance_entropy(layer)


def test_no_such_layer():
    with pytest.raises(ScoreUndefinedError, match="two or more slices of 3 × 3, but Conv2d has"):
        filter_variance_entropy(nn.Conv2d(3, 3, 1))
