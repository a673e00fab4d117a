"""The plain bootstrap, against the clustered one with every model a family of its own."""

import pandas as pd

from zoo_eval.correlation import correlate, plain_intervals


def test_they_are_those_of_models_that_are_families_of_their_own(small_zoo):
    own, sizes = pd.Series(dtype=object), pd.Series(dtype=float)
    scores, truth = small_zoo["scores_wide"], small_zoo["truth"]
    expected = correlate(scores, truth, own, sizes, 60, 5)
    found = plain_intervals(scores, truth, 60, 5)
    assert len(found.columns) == 6
    pd.testing.assert_frame_equal(found, expected[found.columns], check_exact=True)
    one_family = pd.Series("resnet", scores.index)
    assert correlate(scores, truth, one_family, sizes, 60, 5)["kendall_low"].isna().all()
    assert (found["kendall_low"] < expected["kendall_tau"]).all()
    assert (found["kendall_high"] > expected["kendall_tau"]).all()


def test_a_score_without_a_correlation_has_no_interval(small_zoo):
    scores = small_zoo["scores_wide"].assign(constant=1.0, few=small_zoo["truth"].iloc[:3])
    found = plain_intervals(scores, small_zoo["truth"], 20)
    assert found.loc[["constant", "few"]].isna().all(axis=None)
    assert found.drop(["constant", "few"]).notna().all(axis=None)
