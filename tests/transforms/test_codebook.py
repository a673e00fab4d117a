import numpy as np
import pytest
import torch

from zoo_eval.transforms.codebook import codebook, with_codebook

# Distortion of the best quantiser of a standard normal variable: Max, "Quantizing for Minimum
# Distortion", IRE Transactions on Information Theory 1960, Table I.
LLOYD_MAX = {2: 0.3634, 4: 0.1175, 8: 0.03454, 16: 0.009497}


def error(values, entries):
    return np.square(values[:, None] - entries).min(axis=1).sum()


def best_error(values, k):
    """Least error of at most k entries: `least[j]` is that of the j smallest values."""
    ordered = np.sort(values)
    n = len(ordered)
    costs = [[np.var(ordered[i:j]) * (j - i) for i in range(j)] for j in range(n + 1)]
    least = [0.0] + [cost[0] for cost in costs[1:]]
    for _ in range(k - 1):
        least = [0.0] + [np.add(least[:j], costs[j]).min() for j in range(1, n + 1)]
    return least[-1]


@pytest.mark.parametrize("k", LLOYD_MAX)
def test_normal_values_lose_what_the_best_quantiser_loses(k):
    # Quantiles in place of draws: no sampling error.
    from scipy.special import ndtri

    values = ndtri((np.arange(200_000) + 0.5) / 200_000)
    lost = error(values, codebook(values, k)) / np.square(values).sum()
    assert lost == pytest.approx(LLOYD_MAX[k], rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [2, 3, 8])
def test_the_optimum_for_few_values(seed, k):
    values = np.random.default_rng(seed).standard_t(3, size=40)
    found = error(values, codebook(values, k))
    assert found == pytest.approx(best_error(values, k), rel=1e-9)


@pytest.mark.parametrize("k", [4, 16])
def test_near_the_optimum_for_many_values_with_heavy_tails(k):
    # 1.05: cuts are tried at fewer than 257 places of the 300.
    values = np.random.default_rng(k).standard_t(2, size=300)
    best = best_error(values, k)
    assert best * (1 - 1e-9) <= error(values, codebook(values, k)) <= 1.05 * best


def test_every_entry_is_the_mean_of_its_values():
    values = np.random.default_rng(0).standard_normal(500)
    entries = codebook(values, 6)
    nearest = np.abs(values[:, None] - entries).argmin(axis=1)
    means = [values[nearest == place].mean() for place in range(6)]
    np.testing.assert_allclose(entries, means, atol=1e-5)


@pytest.mark.parametrize("n_distinct", [1, 3, 4])
def test_few_distinct_values_are_kept_as_they_are(n_distinct):
    weight = torch.randn(n_distinct).repeat(5)[torch.randperm(5 * n_distinct)].view(5, n_distinct)
    assert torch.equal(with_codebook(weight, 4), weight)


def test_many_equal_values_do_not_use_up_the_codebook():
    # A pruned tensor: a third of the entries at its zeros would be wasted.
    values = np.concatenate([np.zeros(900), np.arange(1.0, 4.0).repeat(30)])
    assert error(values, codebook(values, 4)) == 0


def test_shape_type_and_values_of_the_tensor():
    weight = torch.randn(4, 3, 2, 2, dtype=torch.float32)
    changed = with_codebook(weight, 5)
    assert changed.shape == weight.shape
    assert changed.dtype == torch.float32
    assert len(changed.unique()) == 5
    np.testing.assert_allclose(with_codebook(3 * weight, 5), 3 * changed, rtol=1e-5)
