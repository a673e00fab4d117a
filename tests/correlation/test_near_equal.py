"""Pairs of nearly equal size, against a loop over all pairs."""

import math

import numpy as np
import pandas as pd
import pytest

from zoo_eval.correlation import family_resamples, kendall_tau, near_equal_pairs
from zoo_eval.errors import InputError


@pytest.fixture
def sizes(small_sizes):
    sizes = small_sizes["params"].round(-5)
    sizes.iloc[3:9] = sizes.iloc[3]
    sizes["net12"] = np.nan
    return sizes


def written_out(x, y, size, within, weights):
    """τ_b over the pairs, each counted as often as the resample holds it."""
    agree = of_x = of_y = 0
    for i in range(len(x)):
        for j in range(i):
            if max(size[i], size[j]) <= (1 + within) * min(size[i], size[j]):
                weight = weights[i] * weights[j]
                s, t = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
                agree, of_x, of_y = (
                    agree + weight * s * t,
                    of_x + weight * s * s,
                    of_y + weight * t * t,
                )
    return agree / math.sqrt(of_x * of_y) if of_x and of_y else math.nan


@pytest.mark.parametrize("within", [0.1, 0.5])
def test_tau_and_interval_are_those_of_a_loop(small_zoo, sizes, within):
    table = near_equal_pairs(**small_zoo, sizes=sizes, within=within, resamples=25, seed=3)
    for name, row in table.iterrows():
        columns = [small_zoo["scores_wide"][name], small_zoo["truth"], sizes]
        frame = pd.concat(columns, axis=1).reindex(sizes.index).dropna()
        x, y, size = frame.to_numpy().T
        ratio = np.maximum.outer(size, size) / np.minimum.outer(size, size)
        near = np.triu(ratio <= 1 + within, 1)
        assert (row["n"], row["pairs"]) == (len(frame), near.sum())
        expected = written_out(x, y, size, within, np.ones(len(x)))
        assert row["tau"] == pytest.approx(expected, rel=1e-9)
        i, j = np.nonzero(near)
        product = np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])
        assert row["concordant"] == pytest.approx((product > 0).sum() / (product != 0).sum())
        families = small_zoo["families"][frame.index].tolist()
        drawn = family_resamples(families, 25, seed=3)
        weights = drawn.by_family[drawn.families]
        values = [written_out(x, y, size, within, w) for w in weights.T]
        expected = np.nanquantile(values, [0.025, 0.975])
        np.testing.assert_allclose(row[["low", "high"]].to_numpy(float), expected, rtol=1e-9)


def test_with_any_difference_allowed_it_is_tau(small_zoo, small_sizes):
    table = near_equal_pairs(**small_zoo, sizes=small_sizes["params"], within=1e9, resamples=20)
    known = small_zoo["truth"]
    x = small_zoo["scores_wide"]["good"].reindex(known.index)
    expected = kendall_tau(x.to_numpy(), known.to_numpy())
    assert table.loc["good", "pairs"] == 38 * 37 / 2
    assert table.loc["good", "tau"] == pytest.approx(expected, rel=1e-12)


def test_the_limit_itself_is_within():
    models = pd.RangeIndex(6)
    size = pd.Series([100.0, 110, 1000, 1101, 5000, 50_000], models)
    values = pd.Series([1.0, 2, 3, 4, 5, 6], models)
    table = near_equal_pairs(values.to_frame("s"), values, pd.Series(dtype=object), size)
    assert table.loc["s", "pairs"] == 1
    assert table.loc["s", "tau"] == table.loc["s", "concordant"] == 1


def test_what_is_undefined_says_why(small_zoo, small_sizes):
    scores = small_zoo["scores_wide"]
    scores["constant"] = 1.0
    apart = pd.Series(2.0 ** np.arange(40), scores.index)
    table = near_equal_pairs(**small_zoo, sizes=apart)
    assert table.loc["good", "undefined_because"] == "no two of 38 models are within 10% in size"
    assert table.loc["constant", "undefined_because"] == "the score is 1 for all 38 models"
    assert table[["tau", "low", "concordant"]].isna().all(axis=None)
    flag = pd.DataFrame({"flag": (apart > 2**20).astype(float)})
    pairs_of_equals = apart.where(apart <= 2**20, 2.0**30).clip(upper=2.0**30)
    tied = near_equal_pairs(flag, small_zoo["truth"], small_zoo["families"], pairs_of_equals)
    assert tied.loc["flag", "undefined_because"].endswith("pairs are tied in score or accuracy")
    small_zoo["families"][:] = "resnet"
    one = near_equal_pairs(**small_zoo, sizes=small_sizes["params"])
    assert one.loc["good", "undefined_because"] == "no interval: all 38 models are of one family"
    assert math.isnan(one.loc["good", "low"])


@pytest.mark.parametrize(("size", "within"), [(0.0, 0.1), (-1.0, 0.1), (1.0, 0.0)])
def test_sizes_and_limits_must_be_positive(small_zoo, small_sizes, size, within):
    small_sizes.iloc[0, 0] = size
    with pytest.raises(InputError, match="need positive sizes and limits"):
        near_equal_pairs(**small_zoo, sizes=small_sizes["params"], within=within)
