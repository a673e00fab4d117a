"""Subsets and accuracies side by side, each line against the main table of that subset."""

import numpy as np
import pandas as pd
import pytest

from zoo_eval.correlation import by_subset, correlate
from zoo_eval.errors import InputError


@pytest.fixture
def asked(small_zoo):
    truth = small_zoo["truth"].reindex(small_zoo["scores_wide"].index)
    noise = np.random.default_rng(5).normal(size=40)
    truths = pd.DataFrame({"top1": truth, "other": (truth + 0.1 * noise).where(noise < 1)})
    subsets = pd.DataFrame({"all": True, "even": [i % 2 == 0 for i in range(40)]}, truth.index)
    return {
        "scores_wide": small_zoo["scores_wide"],
        "truths": truths,
        "families": small_zoo["families"],
        "subsets": subsets,
    }


def test_every_line_is_that_of_the_main_table(asked):
    table = by_subset(**asked, resamples=30, seed=2)
    order = [
        (s, t, c) for s in asked["subsets"] for t in asked["truths"] for c in asked["scores_wide"]
    ]
    assert list(zip(table["subset"], table["truth"], table["score"], strict=True)) == order
    assert (table["undefined_because"] == "").all()
    for (subset, truth), lines in table.groupby(["subset", "truth"]):
        scores = asked["scores_wide"][asked["subsets"][subset]]
        sizes = pd.Series(dtype=float)
        expected = correlate(scores, asked["truths"][truth], asked["families"], sizes, 30, 2)
        ours = lines.set_index("score").loc[expected.index]
        for mine, theirs in (
            ("n", "n"),
            ("rho", "spearman_rho"),
            ("low", "spearman_low"),
            ("high", "spearman_high"),
            ("tau", "kendall_tau"),
            ("tau_low", "kendall_low"),
            ("tau_high", "kendall_high"),
        ):
            np.testing.assert_allclose(ours[mine], expected[theirs], rtol=1e-12)


def test_a_model_without_a_row_is_in_no_subset(asked):
    asked["subsets"] = asked["subsets"].iloc[:20]
    table = by_subset(**asked, resamples=20)
    assert table["n"].max() == 19  # net3 has no accuracy
    asked["subsets"] = asked["subsets"].iloc[:0]
    assert by_subset(**asked)["undefined_because"].str.contains("only 0 models").all()


def test_what_is_undefined_says_why(asked):
    asked["scores_wide"] = asked["scores_wide"].assign(constant=2.0)
    one = asked["families"] == "family0"
    asked["subsets"] = pd.DataFrame({"one family": one, "few": asked["families"].index < "net12"})
    table = by_subset(**asked).set_index(["subset", "truth", "score"])
    line = table.loc[("one family", "top1", "good")]
    assert line["undefined_because"] == "no interval: all 5 models are of one family"
    assert np.isfinite(line["rho"])
    assert np.isnan(line["low"])
    line = table.loc[("few", "top1", "good")]
    assert line["undefined_because"] == "only 4 models have it, at least 5 are needed"
    assert np.isnan(line["rho"])
    constant = table.xs("constant", level="score")["undefined_because"]
    assert constant["one family", "top1"] == "the score is 2 for all 5 models"


@pytest.mark.parametrize("frame", ["truths", "subsets"])
def test_a_column_twice_is_refused(asked, frame):
    asked[frame] = pd.concat([asked[frame], asked[frame].iloc[:, :1]], axis=1)
    with pytest.raises(InputError, match=f"columns of the {frame} must be distinct"):
        by_subset(**asked)


@pytest.mark.parametrize("frame", ["truths", "subsets"])
def test_a_model_twice_is_refused(asked, frame):
    asked[frame] = pd.concat([asked[frame], asked[frame].iloc[:1]])
    with pytest.raises(InputError, match=f"models of the {frame} must be distinct.*'net0'"):
        by_subset(**asked)
