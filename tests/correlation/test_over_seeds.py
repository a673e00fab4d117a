"""The table over seeds: by hand, and of a single seed nothing."""

import numpy as np
import pandas as pd
import pytest

from zoo_eval.correlation import (
    intraclass_correlation,
    over_seeds,
    pair_certainty,
    seed_means,
    seed_tau,
)

NAN = np.nan


def test_means_and_deviations():
    by_seed = pd.DataFrame(
        [[1.0, 2.0, 6.0], [4.0, NAN, 8.0], [5.0, NAN, NAN], [NAN] * 3], index=list("abcd")
    )
    found = seed_means(by_seed)
    assert found["seeds"].tolist() == [3, 2, 1, 0]
    np.testing.assert_array_equal(found["mean"], [3, 6, 5, NAN])
    np.testing.assert_allclose(found["sd"], [7**0.5, 8**0.5, NAN, NAN], rtol=1e-12)
    assert found.index.tolist() == list("abcd")


def test_deviation_of_the_mean_covers_the_truth_as_often_as_it_should():
    # y = μ + N(0, s): the mean of S is within s / √S of μ in 68.27 % of all cases.
    rng = np.random.default_rng(0)
    found = seed_means(pd.DataFrame(5 + rng.normal(size=(4000, 25))))
    assert found["mean"].std() == pytest.approx(1 / 5, rel=0.05)
    assert (found["sd"] ** 2).mean() == pytest.approx(1, rel=0.02)
    within = np.mean(np.abs(found["mean"] - 5) < 1 / 5)
    assert abs(within - 0.6827) < 4 * np.sqrt(0.6827 * 0.3173 / 4000)


def test_a_line_per_score():
    rng = np.random.default_rng(1)
    several = pd.DataFrame(rng.normal(size=(6, 1)) + 0.3 * rng.normal(size=(6, 3)))
    several.loc[6] = [1.0, NAN, NAN]  # one value only: takes no part
    found = over_seeds({"snip": several, "params": pd.DataFrame({0: [1.0, 2.0, 3.0]})})
    line, values = found.loc["snip"], several.to_numpy()[:6]
    assert (line["models"], line["seeds"]) == (6, 3)
    icc = intraclass_correlation(values)
    assert (line["icc"], line["icc_low"], line["icc_high"]) == icc
    deviations = np.std(values, axis=1, ddof=1)
    assert line["median_sd"] == pytest.approx(np.median(deviations), rel=1e-12)
    assert (line["seed_tau"], line["pair_certainty"]) == (seed_tau(values), pair_certainty(values))
    single = found.loc["params"]
    assert (single["models"], single["seeds"]) == (0, 1)
    assert single.drop(["models", "seeds"]).isna().all()
    assert found.index.name == "score"


def test_no_scores_make_an_empty_table():
    assert over_seeds({}).empty
