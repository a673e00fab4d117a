"""Each resampled statistic equals scipy's on the data repeated as the resample says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from zoo_eval.correlation import (
    KendallBootstrap,
    PearsonBootstrap,
    SpearmanBootstrap,
    family_resamples,
)
from zoo_eval.correlation.kendall_by_model import KendallByModel
from zoo_eval.correlation.resamples import percentile_interval
from zoo_eval.correlation.spearman_by_family import ByFamily
from zoo_eval.correlation.spearman_by_model import ByModel
from zoo_eval.errors import InputError


def zoo(seed, n, families, decimals):
    """Score and accuracy of n models; few decimals make ties in both."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    score = 0.6 * truth + rng.normal(size=n)
    family = rng.integers(0, families, size=n) if families < n else np.arange(n)
    return score.round(decimals), truth.round(decimals), family


def on_repeated_data(statistic, score, truth, weights):
    """The slow, obvious version: repeat the data, call scipy, NaN where a side is constant."""
    values = []
    for multiplicity in weights.T.astype(int):
        x, y = np.repeat(score, multiplicity), np.repeat(truth, multiplicity)
        constant = len(set(x)) < 2 or len(set(y)) < 2
        values.append(np.nan if constant else statistic(x, y).statistic)
    return np.array(values)


@pytest.mark.parametrize("decimals", [0, 1, 12], ids=["many ties", "some ties", "no ties"])
@pytest.mark.parametrize("families", [3, 12, 60], ids=["3 families", "12 families", "plain"])
@pytest.mark.parametrize(
    ("bootstrap", "statistic"),
    [
        (ByFamily, stats.spearmanr),
        (ByModel, stats.spearmanr),
        (KendallBootstrap, stats.kendalltau),
        (KendallByModel, stats.kendalltau),
        (PearsonBootstrap, stats.pearsonr),
    ],
    ids=["spearman by family", "spearman by model", "kendall", "kendall by model", "pearson"],
)
def test_every_resample_equals_scipy_on_repeated_data(bootstrap, statistic, families, decimals):
    score, truth, family = zoo(seed=families, n=60, families=families, decimals=decimals)
    resamples = family_resamples(family.tolist(), 40, seed=1)
    ours = bootstrap(truth, resamples)(score)
    theirs = on_repeated_data(statistic, score, truth, resamples.by_family[resamples.families])
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-15)
    assert np.isfinite(ours).all()


@pytest.mark.parametrize(
    ("bootstrap", "statistic"),
    [
        (ByFamily, stats.spearmanr),
        (ByModel, stats.spearmanr),
        (KendallBootstrap, stats.kendalltau),
        (KendallByModel, stats.kendalltau),
        (PearsonBootstrap, stats.pearsonr),
    ],
    ids=["spearman by family", "spearman by model", "kendall", "kendall by model", "pearson"],
)
def test_a_constant_resample_is_nan_and_no_other(bootstrap, statistic):
    # Family 0 holds the only model that differs: a resample without it is constant.
    score, truth = np.array([1.0, 0.0, 0.0, 0.0]), np.array([0.1, 0.2, 0.3, 0.4])
    resamples = family_resamples([0, 1, 2, 3], 200, seed=0)
    ours = bootstrap(truth, resamples)(score)
    theirs = on_repeated_data(statistic, score, truth, resamples.by_family[resamples.families])
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-15)
    assert 0 < np.isnan(ours).sum() < 200
    assert percentile_interval(ours).dropped == np.isnan(ours).sum()


@pytest.mark.parametrize("bootstrap", [ByFamily, ByModel, KendallBootstrap, KendallByModel])
def test_infinite_values_are_ordered_like_any_other(bootstrap):
    score, truth, family = zoo(seed=5, n=30, families=6, decimals=1)
    resamples = family_resamples(family.tolist(), 20, seed=0)
    huge = np.where(score == score.max(), np.inf, score)
    of_truth = bootstrap(truth, resamples)
    np.testing.assert_array_equal(of_truth(huge), of_truth(score))


@given(st.integers(0, 2**32 - 1))
def test_monotone_maps_change_nothing_and_a_reversed_score_changes_the_sign(seed):
    score, truth, family = zoo(seed, n=25, families=5, decimals=1)
    resamples = family_resamples(family.tolist(), 10, seed=3)
    for bootstrap in (ByFamily, ByModel, KendallBootstrap, KendallByModel):
        of_truth = bootstrap(truth, resamples)
        np.testing.assert_array_equal(of_truth(np.exp(score)), of_truth(score))
        np.testing.assert_allclose(of_truth(-score), -of_truth(score), rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("copies", [1, 8], ids=["no copies", "eight models of each accuracy"])
@pytest.mark.parametrize("families", [40, 200])
def test_both_ways_to_spearman_give_the_same_to_the_bit(families, copies):
    score, truth, family = zoo(seed=families, n=400 // copies, families=families, decimals=2)
    truth, family = np.repeat(truth, copies), np.repeat(family, copies)
    resamples = family_resamples(family.tolist(), 50, seed=0)
    score = np.repeat(score, copies) + np.random.default_rng(0).normal(size=400).round(1)
    expected = ByModel(truth, resamples)(score)
    np.testing.assert_array_equal(ByFamily(truth, resamples)(score), expected)
    np.testing.assert_array_equal(SpearmanBootstrap(truth, resamples)(score), expected)


@pytest.mark.parametrize("decimals", [0, 2, 9])
@pytest.mark.parametrize("families", [40, 400])
def test_both_ways_to_kendall_give_the_same_to_the_bit(families, decimals):
    score, truth, family = zoo(seed=families, n=400, families=families, decimals=decimals)
    resamples = family_resamples(family.tolist(), 50, seed=0)
    expected = KendallBootstrap(truth, resamples)(score)
    np.testing.assert_array_equal(KendallByModel(truth, resamples)(score), expected)


def test_whole_families_are_drawn_as_many_as_there_are():
    resamples = family_resamples(["a", "b", "a", "c", "b"], 500, seed=0)
    assert resamples.families.tolist() == [0, 1, 0, 2, 1]
    assert (resamples.counts.sum(axis=1) == 3).all()
    weights = resamples.by_family[resamples.families]
    np.testing.assert_array_equal(weights[0], weights[2])
    np.testing.assert_array_equal(weights[1], weights[4])
    # Each family is drawn once on average: standard error of a mean of 500 is 0.037.
    np.testing.assert_allclose(resamples.counts.mean(axis=0), 1, atol=0.15)


def test_the_seed_decides_the_draws():
    families = list(range(20))
    first = family_resamples(families, 50, seed=7).counts
    np.testing.assert_array_equal(family_resamples(families, 50, seed=7).counts, first)
    assert (family_resamples(families, 50, seed=8).counts != first).any()


def test_one_family_cannot_be_resampled():
    with pytest.raises(InputError, match="all 4 models are of 1"):
        family_resamples(["resnet"] * 4, 10, seed=0)


def test_interval_of_copies_is_wider_when_families_are_known():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=40)
    score = truth + 1.5 * rng.normal(size=40)
    copies = 10  # ten identical models per family carry the information of one
    x, y = np.repeat(score, copies), np.repeat(truth, copies)
    family = np.repeat(np.arange(40), copies).tolist()

    def width(bootstrap, x, y, families):
        values = bootstrap(y, family_resamples(families, 1000, seed=0))(x)
        interval = percentile_interval(values)
        return interval.high - interval.low

    for bootstrap in (SpearmanBootstrap, KendallBootstrap):
        clustered = width(bootstrap, x, y, family)
        plain = width(bootstrap, x, y, list(range(400)))
        without_copies = width(bootstrap, score, truth, list(range(40)))
        # √10 is 3.2; ties between copies and 1,000 resamples blur it.
        assert 2.5 * plain < clustered
        assert clustered == pytest.approx(without_copies, rel=0.15)


def test_the_interval_covers_the_true_correlation_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    r = 0.5
    true_rho = 6 / np.pi * np.arcsin(r / 2)  # Spearman's ρ of a bivariate normal
    covered = 0
    trials = 200
    for trial in range(trials):
        truth = rng.normal(size=80)
        score = r * truth + np.sqrt(1 - r * r) * rng.normal(size=80)
        resamples = family_resamples(list(range(80)), 300, seed=trial)
        interval = percentile_interval(SpearmanBootstrap(truth, resamples)(score))
        covered += interval.low <= true_rho <= interval.high
    assert 0.89 <= covered / trials <= 0.99


def test_an_interval_of_nothing_is_undefined():
    interval = percentile_interval(np.array([np.nan, np.nan]))
    assert np.isnan([interval.low, interval.high]).all()
    assert interval.dropped == 2


@pytest.mark.parametrize("copies", [1, 8], ids=["no copies", "eight models of each accuracy"])
@pytest.mark.parametrize("bootstrap", [ByFamily, ByModel, SpearmanBootstrap, KendallBootstrap])
def test_several_accuracies_at_once_give_what_each_gives_alone(bootstrap, copies):
    score, truth, family = zoo(seed=3, n=80 // copies, families=9, decimals=1)
    score, truth, family = (np.repeat(column, copies) for column in (score, truth, family))
    noise = np.random.default_rng(1).normal(size=(2, 80)).round(1)
    truths = np.stack([truth, -truth, truth + noise[0] * (copies == 1)])
    resamples = family_resamples(family.tolist(), 30, seed=0)
    together = bootstrap(truths, resamples)(score + noise[1])
    assert together.shape == (3, 30)
    for found, alone in zip(together, truths, strict=True):
        np.testing.assert_array_equal(found, bootstrap(alone, resamples)(score + noise[1]))
