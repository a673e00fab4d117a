import numpy as np
import pytest
import torch
from scipy.stats import ortho_group
from torch import nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores.weights.filter_orthogonality import filter_orthogonality


def linear(matrix):
    layer = nn.Linear(matrix.shape[1], matrix.shape[0]).double()
    layer.weight.data = torch.from_numpy(np.array(matrix, dtype=np.float64))
    return layer


def test_orthogonal_and_parallel_filters():
    scales = np.array([1.0, -2, 0.5, 9])
    rotation = ortho_group.rvs(6, random_state=np.random.default_rng(0))
    orthogonal = scales[:, None] * rotation[:4]
    assert filter_orthogonality(linear(orthogonal)) == pytest.approx(1, rel=1e-12)
    parallel = np.outer(scales, rotation[0])
    assert filter_orthogonality(linear(parallel)) == pytest.approx(0, abs=1e-12)
    assert filter_orthogonality(linear(np.zeros((3, 2)))) == 1  # no filter looks like another


def test_mean_cosine_by_hand():
    # Three filters in the plane, 60° apart: every |cos| is 1/2.
    angles = np.deg2rad([0, 60, 120])
    rows = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert filter_orthogonality(linear(rows)) == pytest.approx(1 / 2, rel=1e-12)


def test_slow_version():
    layer = nn.Conv2d(3, 5, 3)
    rows = layer.weight.detach().double().numpy().reshape(5, 27)
    cosines = [
        abs(rows[i] @ rows[j]) / np.linalg.norm(rows[i]) / np.linalg.norm(rows[j])
        for i in range(5)
        for j in range(5)
        if i != j
    ]
    assert filter_orthogonality(layer) == pytest.approx(1 - np.mean(cosines), rel=1e-12)


def test_layers_count_the_same_and_single_filters_do_not():
    model = nn.Sequential(linear(np.eye(3)), linear(np.ones((2, 2))), nn.Conv2d(4, 1, 3))
    assert filter_orthogonality(model) == pytest.approx(1 / 2)


def test_no_such_layer():
    with pytest.raises(ScoreUndefinedError, match="two or more output channels, but Linear"):
        filter_orthogonality(nn.Linear(5, 1))
