import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zoo_eval.correlation import among, correlate
from zoo_eval.errors import InputError

RANDOM = np.random.default_rng(0)
MODELS = [f"m{i}" for i in range(40)]
FAMILIES = pd.Series([f"f{i % 9}" for i in range(40)], MODELS)


def scores() -> pd.DataFrame:
    a = RANDOM.normal(size=40)
    frame = pd.DataFrame({"a": a, "b": a + RANDOM.normal(size=40), "c": -a, "d": 1.0}, MODELS)
    frame.loc[MODELS[:8], "b"] = np.nan
    return frame


def test_each_pair_once_as_by_scipy_and_as_with_an_accuracy():
    frame = scores()
    table = among(frame, FAMILIES, resamples=200, seed=3)
    pairs = table.set_index(["first", "second"])
    assert [*map("".join, pairs.index)] == ["ab", "ac", "ad", "bc", "bd", "cd"]
    both = frame[["a", "b"]].dropna()
    line = pairs.loc[("a", "b")]
    assert line["n"] == 32
    assert line["spearman_rho"] == pytest.approx(stats.spearmanr(both["a"], both["b"])[0])
    # The same pair, one of the two being the accuracy that the other is judged by.
    sizes = pd.Series(1.0, MODELS)
    judged = correlate(frame[["b"]], frame["a"], FAMILIES, sizes, resamples=200, seed=3).loc["b"]
    ends = ["spearman_low", "spearman_high"]
    np.testing.assert_allclose(line[ends].astype(float), judged[ends].astype(float))
    assert pairs.loc[("a", "c"), ["spearman_rho", *ends]].tolist() == [-1, -1, -1]


def test_what_is_constant_has_no_correlation():
    undefined = among(scores(), FAMILIES)["spearman_rho"].isna()
    assert undefined.tolist() == [False, False, True, False, True, True]


def test_one_score_makes_no_pair_and_a_name_occurs_once():
    assert among(scores()[["a"]], FAMILIES).empty
    with pytest.raises(InputError, match="must be distinct"):
        among(scores()[["a", "a"]], FAMILIES)
