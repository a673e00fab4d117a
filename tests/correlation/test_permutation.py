"""Permutation p-values against every permutation of small data, and the rule b + 1 of m + 1."""

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from zoo_eval.correlation import permutation_p_values, spearman_p_value
from zoo_eval.correlation.permutation import Group, permutation_p_values_of_groups

X = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
Y = np.array([0.2, 0.3, 0.4, 0.1, 0.6, 0.5])


def test_near_the_share_of_all_orders_that_are_as_strong():
    ranks, of_truth = stats.rankdata(X) - 3.5, stats.rankdata(Y) - 3.5
    observed = abs(ranks @ of_truth)
    strengths = [abs(ranks @ np.array(order)) for order in permutations(of_truth)]
    exact = np.mean(np.array(strengths) >= observed)
    found = permutation_p_values(X[None], Y, 20_000, seed=0)[0]
    # Standard error of a share of 20,000: at most 0.0035.
    assert found == pytest.approx(exact, abs=0.012)


def test_one_more_of_one_more():
    # Only 2 of 10! orders are as strong as the perfect one: none of 99 draws is.
    perfect = np.arange(10.0)
    p = permutation_p_values(np.stack([perfect, -perfect]), perfect, 99, seed=0)
    assert p.tolist() == [1 / 100, 1 / 100]
    assert permutation_p_values(perfect[None], perfect, 0, seed=0).tolist() == [1.0]


def test_a_permutation_of_equal_strength_counts():
    # Every order of two values and a tie has |ρ| 1: all permutations are as strong.
    p = permutation_p_values(np.array([[0.0, 1.0]]), np.array([0.3, 0.7]), 50, seed=0)
    assert p.tolist() == [1.0]


def test_the_seed_decides_and_the_number_at_once_does_not(monkeypatch):
    rng = np.random.default_rng(0)
    scores, truth = rng.normal(size=(3, 20)), rng.normal(size=20)
    first = permutation_p_values(scores, truth, 300, seed=1)
    monkeypatch.setattr("zoo_eval.correlation.permutation._AT_ONCE", 7)
    np.testing.assert_array_equal(permutation_p_values(scores, truth, 300, seed=1), first)
    assert (permutation_p_values(scores, truth, 300, seed=2) != first).any()
    alone = permutation_p_values(scores[1:2], truth, 300, seed=1)
    assert alone[0] == first[1]


def test_near_the_t_distribution_for_many_models():
    rng = np.random.default_rng(3)
    truth = rng.normal(size=300)
    scores = 0.08 * truth + rng.normal(size=(5, 300))
    p = permutation_p_values(scores, truth, 5000, seed=0)
    expected = [spearman_p_value(score, truth) for score in scores]
    np.testing.assert_allclose(p, expected, atol=0.025)


def test_a_constant_has_no_p_value():
    scores = np.array([[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]])
    p = permutation_p_values(scores, np.array([0.1, 0.2, 0.3]), 20, seed=0)
    assert np.isnan(p).tolist() == [True, False]
    assert np.isnan(permutation_p_values(scores, np.ones(3), 20, seed=0)).all()


def test_groups_share_the_permutations_of_all_models():
    rng = np.random.default_rng(4)
    kept = np.ones((3, 20), bool)
    kept[1, [0, 7]] = kept[2, [3, 4]] = False
    truth = rng.normal(size=20).round(1)
    groups = [
        Group(rng.normal(size=(k, of.sum())).round(1), truth[of], of)
        for k, of in zip((1, 3, 1), kept, strict=True)
    ]
    with ThreadPoolExecutor(2) as threads:
        together = permutation_p_values_of_groups(groups, 300, 2, threads)
    for found, group in zip(together, groups, strict=True):
        (alone,) = permutation_p_values_of_groups([group], 300, seed=2)
        np.testing.assert_array_equal(found, alone)
        for p, score in zip(found, group.scores, strict=True):
            assert p == _one_by_one(score, group, 300, 2)
    of_all = permutation_p_values(groups[0].scores, truth, 300, seed=2)
    np.testing.assert_array_equal(together[0], of_all)


def _one_by_one(score, group, permutations, seed):
    """The slow, obvious version: each permutation by itself, less the models that are missing."""
    rng, ranks = np.random.default_rng(seed), stats.rankdata(score) - (len(score) + 1) / 2
    of_truth = np.full(len(group.kept), np.nan)
    of_truth[group.kept] = stats.rankdata(group.truth) - (len(score) + 1) / 2
    reached, observed = 0, abs(ranks @ of_truth[group.kept])
    for _ in range(permutations):
        shuffled = rng.permuted(of_truth[None], axis=1)[0]
        reached += abs(ranks @ shuffled[~np.isnan(shuffled)]) >= observed
    return (reached + 1) / (permutations + 1)
