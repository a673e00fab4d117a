import pytest
import torch

from zoo_eval.transforms.noise import noisy


def test_size_in_deviations_of_each_tensor():
    weights = [torch.randn(200, 300) * 3 + 7, torch.randn(100, 50, 3, 3) * 0.01]
    for before, after in zip(weights, noisy(weights, 0.2, seed=0), strict=True):
        noise = after - before
        # 30,000 draws or more: the deviation is known to 0.5 %.
        assert float(noise.std() / before.std()) == pytest.approx(0.2, rel=0.02)
        assert abs(float(noise.mean())) < 0.01 * float(before.std())


def test_the_same_draw_scaled_and_another_for_another_seed():
    weights = [torch.randn(5, 4, dtype=torch.float64)]
    small, large = ((noisy(weights, size, 1)[0] - weights[0]) for size in (0.1, 0.3))
    torch.testing.assert_close(large, 3 * small)
    assert not torch.allclose(small, noisy(weights, 0.1, 2)[0] - weights[0])


def test_constant_tensors_have_no_deviation():
    assert torch.equal(noisy([torch.ones(3, 3)], 0.5, 0)[0], torch.ones(3, 3))
