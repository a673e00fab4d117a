"""ρ without each model and family, against ρ of the data without them."""

import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zoo_eval.correlation import influence


def test_every_line_is_scipys_rho_of_what_is_left(small_zoo):
    table = influence(**small_zoo)
    assert table["score"].drop_duplicates().tolist() == list(small_zoo["scores_wide"])
    for row in table.itertuples():
        columns = [small_zoo["scores_wide"][row.score], small_zoo["truth"]]
        frame = pd.concat(columns, axis=1, keys=["x", "y"]).dropna()
        family = small_zoo["families"].reindex(frame.index)
        out = frame.index == row.name if row.without == "model" else family == row.name
        left = frame[~np.asarray(out)]
        with_all = stats.spearmanr(frame.x, frame.y).statistic
        rho = stats.spearmanr(left.x, left.y).statistic
        assert row.n == len(left) < len(frame)
        assert row.spearman_rho == pytest.approx(rho, rel=1e-9, abs=1e-15)
        assert row.change == pytest.approx(rho - with_all, rel=1e-6, abs=1e-12)


def test_lines_come_by_size_of_the_change_and_may_be_cut(small_zoo):
    table = influence(**small_zoo)
    for (_, _), part in table.groupby(["score", "without"], sort=False):
        assert part["change"].abs().is_monotonic_decreasing
    few = influence(**small_zoo, most=2)
    assert few["without"].tolist() == ["model", "model", "family", "family"] * 3
    expected = table.groupby(["score", "without"], sort=False).head(2).reset_index(drop=True)
    pd.testing.assert_frame_equal(few, expected)


def test_the_number_at_once_does_not_matter(small_zoo, monkeypatch):
    expected = influence(**small_zoo)
    monkeypatch.setattr(sys.modules["zoo_eval.correlation.influence"], "_AT_ONCE", 3)
    pd.testing.assert_frame_equal(influence(**small_zoo), expected)


def test_the_one_model_that_breaks_an_order_is_found():
    models = pd.Index([f"net{i}" for i in range(12)])
    truth = pd.Series(np.arange(12.0), models)
    score = truth.copy()
    score["net11"] = -1.0
    table = influence(score.to_frame("score"), truth, pd.Series(dtype=object), most=1)
    assert table["name"].tolist() == ["net11", "net11"]  # its own family
    assert table["spearman_rho"].tolist() == [1.0, 1.0]
    assert (table["change"] > 0).all()


def test_what_is_constant_without_a_model_is_nan_and_last():
    models = pd.Index([f"net{i}" for i in range(6)])
    truth = pd.Series(np.arange(6.0), models)
    score = pd.Series([0.0, 0, 0, 0, 0, 1], models)
    table = influence(score.to_frame("score"), truth, pd.Series(dtype=object))
    of_models = table[table["without"] == "model"]
    assert of_models["name"].iloc[-1] == "net5"
    assert of_models["change"].isna().tolist() == [False] * 5 + [True]


def test_no_correlation_no_line(small_zoo):
    small_zoo["scores_wide"] = small_zoo["scores_wide"].assign(good=1.0)[["good"]]
    table = influence(**small_zoo)
    assert table.empty
    assert list(table) == ["score", "without", "name", "n", "spearman_rho", "change"]


def test_a_single_family_leaves_nothing_without_it(small_zoo):
    small_zoo["families"][:] = "resnet"
    table = influence(**small_zoo)
    of_family = table[table["without"] == "family"]
    assert of_family["n"].eq(0).all()
    assert of_family["change"].isna().all()
