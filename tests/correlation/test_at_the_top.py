"""The table of the top: directions, numbers and shares, and what is undefined."""

import numpy as np
import pandas as pd
import pytest

from zoo_eval.correlation import at_the_top, ndcg_at, regret_at, top_recall
from zoo_eval.errors import InputError


def table_of(zoo, **options):
    return at_the_top(zoo["scores_wide"], zoo["truth"], **{"higher_is_better": None} | options)


def test_every_line_is_that_of_the_arrays_by_the_sign_of_rho(small_zoo):
    table = table_of(small_zoo)
    assert table["k"].tolist() == ["1", "5", "10", "10%", "100%"] * 3
    for row in table.itertuples():
        columns = [small_zoo["scores_wide"][row.score], small_zoo["truth"]]
        x, y = pd.concat(columns, axis=1).dropna().to_numpy().T
        assert row.higher_is_better == (row.score != "reversed")
        towards = x if row.higher_is_better else -x
        k = {"10%": round(len(y) / 10), "100%": len(y)}.get(row.k) or int(row.k)
        assert (row.n, row.models) == (len(y), k)
        assert row.recall == top_recall(towards, y, k)
        assert row.regret == regret_at(towards, y, k)
        assert row.ndcg == ndcg_at(towards, y, k)
        assert row.undefined_because == ""


def test_the_direction_may_be_given(small_zoo):
    wrong = dict.fromkeys(small_zoo["scores_wide"], True)
    table = table_of(small_zoo, higher_is_better=wrong, ks=["5"]).set_index("score")
    assert table["higher_is_better"].all()
    by_rho = table_of(small_zoo, ks=["5"]).set_index("score")
    assert table.loc["good", "regret"] == by_rho.loc["good", "regret"]
    assert table.loc["reversed", "regret"] > by_rho.loc["reversed", "regret"]


def test_what_is_undefined_says_why(small_zoo):
    scores = small_zoo["scores_wide"]
    scores["constant"] = 1.0
    scores["few"] = scores["good"].where(np.arange(40) < 8)
    table = table_of(small_zoo, ks=["5", "10"]).set_index(["score", "k"])
    assert table.loc[("constant", "5"), "undefined_because"] == "the score is 1 for all 38 models"
    assert table.loc[("few", "10"), "undefined_because"] == "only 7 models have it"
    assert table.loc[("few", "5"), "undefined_because"] == ""
    missing = table[["recall", "regret", "ndcg"]].isna()
    assert (missing.all(axis=1) == (table["undefined_because"] != "")).all()


def test_a_score_without_a_direction_is_refused(small_zoo):
    with pytest.raises(InputError, match="needs every score, but lacks gaps, reversed"):
        table_of(small_zoo, higher_is_better={"good": True})


@pytest.mark.parametrize("k", ["0", "ten", "110%", "-1", "1.5"])
def test_a_k_that_is_neither_number_nor_share_is_refused(small_zoo, k):
    with pytest.raises(InputError, match=f"not '{k}'"):
        table_of(small_zoo, ks=["1", k])
