"""The table of correlations on pandas frames, and the paired comparison."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zoo_eval.correlation import compare, correlate, permutation_p_values, spearman_rho
from zoo_eval.errors import InputError


@pytest.fixture
def zoo():
    """40 models of 8 families: scores with ties and gaps, accuracies of 38, parameters of all."""
    rng = np.random.default_rng(0)
    models = pd.Index([f"net{i}" for i in range(40)], name="model")
    truth = pd.Series(rng.uniform(0.5, 0.9, 40), models).round(2)
    params = pd.Series(rng.lognormal(16, 1, 40), models)
    families = pd.Series([f"family{i % 8}" for i in range(40)], models)
    scores = pd.DataFrame(
        {
            "good": truth + 0.05 * rng.normal(size=40),
            "gaps": truth.where(rng.uniform(size=40) < 0.7) + 0.2 * rng.normal(size=40),
            "reversed": -truth + 0.05 * rng.normal(size=40),
            "params": params,
        },
        models,
    ).round(2)
    truth = truth.drop(["net3", "net30"])
    return {"scores_wide": scores, "truth": truth, "families": families, "params": params}


def test_point_statistics_equal_scipy_on_the_common_models(zoo):
    table = correlate(**zoo, resamples=20)
    for name, row in table.iterrows():
        both = pd.concat([zoo["scores_wide"][name], zoo["truth"]], axis=1).dropna()
        x, y = both.to_numpy().T
        assert row["n"] == len(both)
        assert row["coverage"] == pytest.approx(len(both) / 38, rel=1e-12)
        expected = stats.spearmanr(x, y)
        assert row["spearman_rho"] == pytest.approx(expected.statistic, rel=1e-9)
        assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
        assert row["kendall_tau"] == pytest.approx(stats.kendalltau(x, y).statistic, rel=1e-9)
        assert row["weighted_tau"] == pytest.approx(stats.weightedtau(x, y).statistic, rel=1e-9)
    assert table["undefined_because"].eq("").all()
    assert table.index.tolist() == ["good", "gaps", "reversed", "params"]
    assert table.index.name == "score"


def test_intervals_equal_a_bootstrap_written_out(zoo):
    table = correlate(**zoo, resamples=60, seed=5)
    both = pd.concat([zoo["scores_wide"]["gaps"], zoo["truth"]], axis=1, keys=["x", "y"]).dropna()
    family = zoo["families"][both.index]
    names = list(dict.fromkeys(family))
    draws = np.random.default_rng(5).multinomial(len(names), [1 / len(names)] * len(names), 60)
    rho, tau = [], []
    for counts in draws:
        repeated = both.loc[
            [
                m
                for name, c in zip(names, counts, strict=True)
                for m in [*family.index[family == name]] * c
            ]
        ]
        rho.append(stats.spearmanr(repeated.x, repeated.y).statistic)
        tau.append(stats.kendalltau(repeated.x, repeated.y).statistic)
    for column, values in (("spearman", rho), ("kendall", tau)):
        expected = np.quantile(values, [0.025, 0.975])
        ours = table.loc["gaps", [f"{column}_low", f"{column}_high"]].to_numpy(float)
        np.testing.assert_allclose(ours, expected, rtol=1e-9)


def test_pearson_is_that_of_scipy_and_empty_where_a_value_is_infinite(zoo):
    zoo["scores_wide"]["infinite"] = zoo["scores_wide"]["good"].replace({0.7: np.inf})
    zoo["scores_wide"].iloc[0, -1] = np.inf
    table = correlate(**zoo, resamples=60)
    both = pd.concat([zoo["scores_wide"]["gaps"], zoo["truth"]], axis=1).dropna().to_numpy().T
    row = table.loc["gaps"]
    assert row["pearson_r"] == pytest.approx(stats.pearsonr(*both).statistic, rel=1e-9)
    assert row["pearson_low"] < row["pearson_r"] < row["pearson_high"]
    of_infinite = table.filter(like="pearson").loc["infinite"]
    assert len(of_infinite) == 3
    assert of_infinite.isna().all()
    assert np.isfinite(table.loc["infinite", "spearman_rho"])


def test_permuted_p_values_are_those_of_the_permutations_asked_for(zoo):
    table = correlate(**zoo, resamples=20, permutations=199)
    assert table.loc["good", "p_permuted"] == 1 / 200
    assert table.loc["gaps", "p_permuted"] * 200 == pytest.approx(
        round(table.loc["gaps", "p_permuted"] * 200), abs=1e-9
    )
    # Four scores, two of them at the least p-value: the first is taken four times.
    assert table.loc["good", "p_permuted_holm"] == pytest.approx(4 / 200, rel=1e-12)
    finer = correlate(**zoo, resamples=20, permutations=9999)
    np.testing.assert_allclose(finer["p_permuted"], table["p_value"], atol=0.02)


def test_permuted_p_values_are_those_that_each_score_has_alone(zoo):
    # As many models as `gaps` has, but others.
    gaps = np.roll(zoo["scores_wide"]["gaps"].isna(), 5)
    zoo["scores_wide"]["other gaps"] = zoo["scores_wide"]["good"].mask(gaps)
    table = correlate(**zoo, resamples=20, permutations=199, seed=3)
    for name, column in zoo["scores_wide"].items():
        alone = correlate(
            **(zoo | {"scores_wide": column.to_frame()}), resamples=20, permutations=199, seed=3
        )
        assert table.loc[name, "p_permuted"] == alone.loc[name, "p_permuted"]
        if column.notna().all():
            truth = zoo["truth"].reindex(column.index)
            kept = truth.notna().to_numpy()
            of = permutation_p_values(column.to_numpy()[None, kept], truth[kept].to_numpy(), 199, 3)
            assert table.loc[name, "p_permuted"] == of[0]


def test_signs_stay_signed(zoo):
    row = correlate(**zoo, resamples=200).loc["reversed"]
    assert row["spearman_low"] < row["spearman_rho"] < row["spearman_high"] < 0
    assert row["kendall_low"] < row["kendall_tau"] < row["kendall_high"] < 0
    assert row["weighted_tau"] < 0


def test_holm_is_over_all_defined_rows(zoo):
    zoo["scores_wide"]["constant"] = 1.0
    table = correlate(**zoo, resamples=20)
    p = table["p_value"].drop("constant").sort_values()
    expected = np.minimum(np.maximum.accumulate(p * [4, 3, 2, 1]), 1)
    pd.testing.assert_series_equal(
        table.loc[p.index, "p_holm"], expected, check_names=False, rtol=1e-12
    )
    assert np.isnan(table.loc["constant", "p_holm"])


def test_partial_is_empty_for_the_parameters_themselves_and_exact_for_the_others(zoo):
    table = correlate(**zoo, resamples=20)
    assert np.isnan(table.loc["params", "partial_rho"])
    frame = pd.DataFrame({"x": zoo["scores_wide"]["good"], "y": zoo["truth"], "z": zoo["params"]})
    corr = frame.dropna().corr("spearman")
    xy, xz, yz = corr.loc["x", "y"], corr.loc["x", "z"], corr.loc["y", "z"]
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert table.loc["good", "partial_rho"] == pytest.approx(expected, rel=1e-9)


def test_partial_uses_only_models_of_known_size(zoo):
    some = zoo["params"].iloc[:20]
    partial = correlate(**{**zoo, "params": some}, resamples=20)["partial_rho"]
    of_some = {**zoo, "scores_wide": zoo["scores_wide"].iloc[:20]}
    expected = correlate(**of_some, resamples=20)["partial_rho"]
    pd.testing.assert_series_equal(partial, expected)
    few = correlate(**{**zoo, "params": zoo["params"].iloc[:4]}, resamples=20)
    assert few["partial_rho"].isna().all()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1.0, 2.0, 3.0, 4.0], "only 4 models have it, at least 5 are needed"),
        ([], "only 0 models have it, at least 5 are needed"),
        ([2.5] * 40, "the score is 2.5 for all 38 models"),
    ],
    ids=["too few", "none", "constant"],
)
def test_an_undefined_correlation_says_why(zoo, values, reason):
    models = zoo["scores_wide"].index
    zoo["scores_wide"]["bad"] = pd.Series(values, models[len(models) - len(values) :], float)
    table = correlate(**zoo, resamples=20)
    row = table.loc["bad"]
    assert row["undefined_because"] == reason
    assert row.drop(["n", "coverage", "resamples_dropped", "undefined_because"]).isna().all()
    assert np.isfinite(table.loc["good", "spearman_rho"])


def test_a_constant_accuracy_says_so(zoo):
    table = correlate(**{**zoo, "truth": zoo["truth"] * 0 + 0.75}, resamples=20)
    assert table.loc["good", "undefined_because"] == "the accuracy is 0.75 for all 38 models"


def test_no_model_with_an_accuracy_is_no_crash(zoo):
    table = correlate(**{**zoo, "truth": zoo["truth"] * np.nan})
    assert table["n"].eq(0).all()
    assert table["coverage"].isna().all()
    assert table["undefined_because"].str.contains("only 0 models").all()


def test_one_family_gives_point_values_without_an_interval(zoo):
    table = correlate(**{**zoo, "families": pd.Series("resnet", zoo["families"].index)})
    assert np.isfinite(table["spearman_rho"]).all()
    assert table["spearman_low"].isna().all()
    assert table.loc["good", "undefined_because"] == "no interval: all 38 models are of one family"


def test_models_without_a_family_are_families_of_their_own(zoo):
    own = pd.Series([f"only{i}" for i in range(40)], zoo["families"].index)
    missing = pd.Series([None] * 40, zoo["families"].index, dtype=object)
    pd.testing.assert_frame_equal(
        correlate(**{**zoo, "families": missing}, resamples=50),
        correlate(**{**zoo, "families": own}, resamples=50),
    )


def test_resamples_in_which_the_score_is_constant_are_counted(zoo):
    flag = zoo["families"].eq("family0").astype(float)  # only one of eight families differs
    zoo["scores_wide"] = pd.DataFrame({"flag": flag})
    row = correlate(**zoo, resamples=1000).loc["flag"]
    # Without family 0: (7/8)⁸ = 0.344 of the resamples; with it alone: (1/8)⁸.
    assert row["resamples_dropped"] == pytest.approx(344, abs=60)
    assert np.isfinite([row["spearman_low"], row["spearman_high"]]).all()


def test_nullable_and_integer_columns_are_numbers(zoo):
    expected = correlate(**zoo, resamples=20)
    zoo["scores_wide"] = zoo["scores_wide"].convert_dtypes()
    pd.testing.assert_frame_equal(correlate(**zoo, resamples=20), expected)


def test_the_same_seed_gives_the_same_table_and_another_seed_another(zoo):
    first = correlate(**zoo, resamples=50, seed=1)
    pd.testing.assert_frame_equal(correlate(**zoo, resamples=50, seed=1), first)
    other = correlate(**zoo, resamples=50, seed=2)
    assert (other["spearman_low"] != first["spearman_low"]).all()
    assert (other["spearman_rho"] == first["spearman_rho"]).all()


@pytest.mark.parametrize("frame", ["scores_wide", "truth", "families", "params"])
def test_a_model_twice_is_refused(zoo, frame):
    zoo[frame] = pd.concat([zoo[frame], zoo[frame].loc[["net7"]]])
    what = "scores" if frame == "scores_wide" else frame
    with pytest.raises(
        InputError, match=f"models of the {what} must be distinct.*'net7'.* 2 times"
    ):
        correlate(**zoo)


def test_a_score_twice_is_refused(zoo):
    zoo["scores_wide"] = pd.concat([zoo["scores_wide"], zoo["scores_wide"][["good"]]], axis=1)
    with pytest.raises(InputError, match=r"columns of the scores must be distinct.*'good'"):
        correlate(**zoo)


def test_a_baseline_that_lacks_models_is_compared_on_the_common_ones(zoo):
    table = correlate(**zoo, resamples=30, baselines=["gaps"])
    scores = zoo["scores_wide"]
    for name in ("good", "reversed", "params"):
        pair = scores[name], scores["gaps"]
        found = compare(*pair, zoo["truth"], zoo["families"], resamples=30)
        ours = table.loc[name, ["difference", "difference_low", "difference_high"]].tolist()
        assert ours == [found.difference, found.low, found.high]
    assert np.isnan(table.loc["gaps", "difference"])
    without = correlate(**zoo, resamples=30)
    pd.testing.assert_frame_equal(table[without.columns], without)


def test_columns_that_are_no_text_are_named_by_their_text(zoo):
    zoo["scores_wide"].columns = range(4)
    table = correlate(**zoo, resamples=20, baselines=["1"])
    assert table.index.tolist() == ["0", "1", "2", "3"]
    assert table["difference"].isna().tolist() == [False, True, False, False]
    zoo["scores_wide"].columns = ["1", 1, 2, 3]
    with pytest.raises(InputError, match=r"columns of the scores must be distinct.*'1'"):
        correlate(**zoo)


def test_compare_is_the_difference_in_strength_on_the_common_models(zoo):
    scores, truth = zoo["scores_wide"], zoo["truth"]
    result = compare(scores["reversed"], scores["gaps"], truth, zoo["families"])
    common = pd.concat([scores["reversed"], scores["gaps"], truth], axis=1).dropna().to_numpy().T
    strengths = abs(spearman_rho(common[0], common[2])), abs(spearman_rho(common[1], common[2]))
    assert result.n == common.shape[1]
    assert result.difference == pytest.approx(strengths[0] - strengths[1], rel=1e-12)
    assert 0 < result.low < result.difference < result.high


def test_a_score_compared_with_itself_or_its_mirror_differs_by_nothing(zoo):
    good = zoo["scores_wide"]["good"]
    for other in (good, -good):
        result = compare(good, other, zoo["truth"], zoo["families"])
        # ρ of the mirror is -ρ up to the last bit.
        assert result.difference == pytest.approx(0, abs=1e-15)
        assert result.low == pytest.approx(0, abs=1e-12)
        assert result.high == pytest.approx(0, abs=1e-12)


def test_compare_leaves_what_is_undefined_undefined(zoo):
    good, truth, families = zoo["scores_wide"]["good"], zoo["truth"], zoo["families"]
    for bad in (good * 0, good.iloc[:4]):
        result = compare(good, bad, truth, families)
        assert np.isnan([result.difference, result.low, result.high]).all()
    one_family = compare(good, -good, truth, pd.Series("resnet", families.index))
    assert one_family.difference == pytest.approx(0, abs=1e-15)
    assert np.isnan(one_family.low)


def test_statistics_need_neither_torch_nor_matplotlib():
    code = (
        "import sys, zoo_eval.correlation; "
        "print({'torch', 'matplotlib', 'duckdb'} & sys.modules.keys())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "set()\n"
