"""The variance of an average, with and without correction, in closed form."""

import pytest
import torch
from torch import nn

from zoo_eval.transforms.averaging import averaged, averaged_network


def normal(n: int, seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return list(torch.randn(n, 200, 300, generator=generator) / 50)


@pytest.mark.parametrize("n", [2, 8])
def test_of_n_independent_tensors_a_share_of_1_in_n_is_left_and_given_back(n):
    tensors = normal(n)
    variance = sum(float(t.double().var()) for t in tensors) / n
    assert float(averaged(tensors).var()) == pytest.approx(variance / n, rel=0.03)
    corrected = averaged(tensors, corrected=True)
    assert float(corrected.var()) == pytest.approx(variance, rel=1e-6)
    assert float(corrected.mean()) == pytest.approx(float(averaged(tensors).mean()), abs=1e-15)


@pytest.mark.parametrize("rho", [-0.5, 0.0, 0.3, 0.9])
def test_of_two_correlated_ones_half_of_one_plus_rho(rho):
    first, noise = normal(2)
    second = rho * first + (1 - rho**2) ** 0.5 * noise
    mean_variance = (float(first.double().var()) + float(second.double().var())) / 2
    left = float(averaged([first, second]).var()) / mean_variance
    assert left == pytest.approx((1 + rho) / 2, abs=0.01)


def test_copies_stay_as_they_are():
    (tensor,) = normal(1)
    assert torch.equal(averaged([tensor] * 4), tensor.double())
    corrected = averaged([tensor] * 4, corrected=True)
    torch.testing.assert_close(corrected, tensor.double(), rtol=1e-12, atol=1e-16)


def test_numbers_and_constants_are_averaged_only():
    one, other = torch.tensor([1.0]), torch.tensor([3.0])
    assert averaged([one, other], corrected=True).item() == 2.0
    flat = averaged([torch.full((2, 2), 1.0), torch.full((2, 2), 3.0)], corrected=True)
    assert torch.equal(flat, torch.full((2, 2), 2.0, dtype=torch.float64))


def test_the_authors_epsilon_would_leave_much_of_the_loss():
    """At a variance of 1e-4 and two tensors: (1e-4 + ε) / (5e-5 + ε) = 4/3 where 2 is needed."""
    tensors = [t / 100 * 50 for t in normal(2)]
    variance = float(tensors[0].double().var())
    assert variance == pytest.approx(1e-4, rel=0.02)
    mean = averaged(tensors)
    theirs = (variance + 1e-4) / (float(mean.var()) + 1e-4)
    ours = float(averaged(tensors, corrected=True).var() / mean.var())
    assert theirs == pytest.approx(4 / 3, rel=0.02)
    assert ours == pytest.approx(2, rel=0.02)


def test_a_network_halfway_leaves_the_two_as_they_are():
    torch.manual_seed(0)
    first, second = (
        nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 4, 1)) for _ in "ab"
    )
    before = [{k: v.clone() for k, v in net.state_dict().items()} for net in (first, second)]
    plain, corrected = (averaged_network(first, second, corrected=c) for c in (False, True))
    for net, state in zip((first, second), before, strict=True):
        assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items())
    for name, weight in plain.named_parameters():
        mean = (before[0][name] + before[1][name]) / 2
        torch.testing.assert_close(weight.data, mean)
        same = torch.allclose(weight, dict(corrected.named_parameters())[name])
        assert same == (weight.ndim < 2)
