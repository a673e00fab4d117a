import numpy as np
import pytest
import torch

from zoo_eval.transforms.pruning import PRUNING, pruned, pruned_at_random

WEIGHTS = [torch.randn(6, 5), torch.randn(3, 2, 3, 3) * 0.1, torch.randn(40)[:, None]]
N = sum(weight.numel() for weight in WEIGHTS)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_equals_sorting(share):
    magnitudes = np.concatenate([weight.abs().numpy().ravel() for weight in WEIGHTS])
    threshold = np.sort(magnitudes)[int(N * share)]
    for before, after in zip(WEIGHTS, pruned(WEIGHTS, share), strict=True):
        expected = np.where(np.abs(before.numpy()) > threshold, before.numpy(), 0)
        assert np.array_equal(after, expected)


@pytest.mark.parametrize("share", PRUNING.levels[1:])
def test_one_more_than_the_share_falls(share):
    assert sum(int((w == 0).sum()) for w in pruned(WEIGHTS, share)) == int(N * share) + 1


def test_nothing_falls_at_zero_and_everything_at_one():
    assert all(map(torch.equal, pruned(WEIGHTS, 0.0), WEIGHTS))
    assert not any(weight.any() for weight in pruned(WEIGHTS, 1.0))


def test_what_falls_stays_fallen():
    for less, more in zip(PRUNING.levels, PRUNING.levels[1:], strict=False):
        for a, b in zip(pruned(WEIGHTS, less), pruned(WEIGHTS, more), strict=True):
            assert (b[a == 0] == 0).all()


def test_the_control_takes_as_many_of_every_tensor_and_others():
    after = pruned(WEIGHTS, 0.5)
    randomly = pruned_at_random(WEIGHTS, after, np.random.default_rng(0))
    for before, chosen, drawn in zip(WEIGHTS, after, randomly, strict=True):
        assert (chosen == 0).sum() == (drawn == 0).sum()
        assert torch.equal(drawn[drawn != 0], before[drawn != 0])
    assert not torch.equal(after[0] == 0, randomly[0] == 0)
