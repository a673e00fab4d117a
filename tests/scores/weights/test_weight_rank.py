import numpy as np
import pytest
import torch
from scipy.stats import entropy, ortho_group
from torch import nn

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.scores.weights.weight_rank import weight_rank

KINDS = ("entropy", "participation", "stable")


def linear(matrix):
    layer = nn.Linear(matrix.shape[1], matrix.shape[0]).double()
    layer.weight.data = torch.from_numpy(np.array(matrix, dtype=np.float64))
    return layer


@pytest.mark.parametrize("kind", KINDS)
def test_full_and_single_rank(kind):
    assert weight_rank(linear(3 * np.eye(4, 7)), kind=kind) == pytest.approx(1, rel=1e-12)
    assert weight_rank(linear(np.eye(7, 4)), kind=kind) == pytest.approx(1, rel=1e-12)
    single = linear(np.outer([1.0, 2, 3], [1.0, -1]))
    # The singular value that is zero comes out of the product as up to 1e-8 of the other.
    assert weight_rank(single, kind=kind) == pytest.approx(1 / 2, rel=1e-6)


@pytest.mark.parametrize("shape", [(6, 9), (9, 6)])
def test_equals_the_definitions(shape):
    matrix = np.random.default_rng(0).standard_normal(shape)
    s = np.linalg.svd(matrix, compute_uv=False)
    expected = {
        "entropy": np.exp(entropy(s)) / 6,
        "participation": (s @ s) ** 2 / np.sum(s**4) / 6,
        "stable": np.linalg.norm(matrix) ** 2 / np.linalg.norm(matrix, 2) ** 2 / 6,
    }
    for kind in KINDS:
        assert weight_rank(linear(matrix), kind=kind) == pytest.approx(expected[kind], rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_unchanged_by_scale_and_rotation(kind):
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((5, 8)) * np.arange(1, 9)
    left, right = ortho_group.rvs(5, random_state=rng), ortho_group.rvs(8, random_state=rng)
    before = weight_rank(linear(matrix), kind=kind)
    assert weight_rank(linear(1e-3 * left @ matrix @ right), kind=kind) == pytest.approx(before)


def test_layers_count_the_same_and_zeros_do_not():
    model = nn.Sequential(linear(np.eye(4)), nn.Conv2d(2, 2, 3).double(), linear(np.zeros((3, 3))))
    model[1].weight.data = torch.ones(2, 2, 3, 3, dtype=torch.float64)  # rank 1 of 2
    assert weight_rank(model) == pytest.approx((1 + 1 / 2) / 2, rel=1e-6)


def test_refusals():
    with pytest.raises(InputError, match="entropy, participation, stable, but is 'nuclear'"):
        weight_rank(nn.Linear(2, 2), kind="nuclear")
    with pytest.raises(ScoreUndefinedError, match="all 1 tensors of Linear are zero"):
        weight_rank(linear(np.zeros((2, 2))))
