"""Which accuracy, which baseline, who wins: the statistics of a report and its sentences."""

import numpy as np
import pandas as pd
import pytest

from zoo_eval.correlation import compare, correlate
from zoo_eval.errors import ReportError
from zoo_eval.report import collect, findings, sentences


def test_the_accuracy_known_for_most_models_is_taken(data):
    # fashion_top1 and v2_top5 are known for 8 models each, real_top1 for 6.
    assert findings(data, resamples=20).truth == "fashion_top1"
    data.accuracies.loc["a_small", "fashion_top1"] = np.nan
    assert findings(data, resamples=20).truth == "v2_top5"
    assert findings(data, "real_top1", resamples=20).truth == "real_top1"


def test_an_unknown_accuracy_is_refused_with_what_there_is(data):
    known = r"'imagenet_top1'.*fashion_top1 \(8 models\), real_top1 \(6 models\), v2_top5 \(8 mod"
    with pytest.raises(ReportError, match=known):
        findings(data, "imagenet_top1")


def test_no_accuracy_at_all_is_refused(store):
    store.tables["accuracies"]["model"] = "another"
    with pytest.raises(ReportError, match="none of the 9 models that were tried has an accuracy"):
        findings(collect(store, {}))


def test_the_table_is_that_of_correlate_strongest_first(data, found):
    expected = correlate(
        data.scores,
        data.accuracies["fashion_top1"],
        data.models["family"],
        data.models["params"],
        resamples=50,
    )
    ours = found.correlations[expected.columns]
    pd.testing.assert_frame_equal(ours.loc[expected.index], expected)
    strength = ours["spearman_rho"].abs()
    assert strength.dropna().is_monotonic_decreasing
    assert strength.isna().tolist()[-1]
    assert found.correlations.index[found.correlations["baseline"]].tolist() == [
        "activations",
        "params",
    ]


def test_scores_are_compared_with_the_best_baseline_on_the_same_models(data, found):
    assert found.best_baseline == "activations"
    accuracy, family = data.accuracies["fashion_top1"], data.models["family"]
    for score in found.scores:
        pair = data.scores[score], data.scores["activations"]
        expected = compare(*pair, accuracy, family, 50)
        row = found.correlations.loc[score]
        ours = row[["difference", "difference_low", "difference_high"]].to_numpy(float)
        np.testing.assert_array_equal(ours, [expected.difference, expected.low, expected.high])
        assert row["beats_baseline"] == (expected.low > 0)
    assert found.correlations.loc["activations", "difference"] != 0  # NaN: never with itself


def test_parameters_of_the_manifest_stand_in_for_those_not_counted(store):
    scores = store.tables["scores"]
    store.tables["scores"] = scores[(scores["score"] != "params") | (scores["model"] != "a_small")]
    board = findings(collect(store, store.DEFAULTS), resamples=20).leaderboard
    assert board.loc["a_small", "params"] == 1e6


def test_the_leaderboard_has_the_models_with_an_accuracy_best_first(store, found):
    board = found.leaderboard
    assert board.index.tolist() == [
        "c_large",
        "b_large",
        "a_large",
        "c_small",
        "b_small",
        "a_small",
        store.HOSTILE,
        "d|odd",
    ]
    assert board["fashion_top1"].is_monotonic_decreasing
    assert board.columns[:6].tolist() == [
        "fashion_top1",
        "trusted",
        "family",
        "licence",
        "params",
        "dse",
    ]
    gate = {"a_small": True, "a_large": False, "b_small": True}
    assert board["trusted"].to_dict() == {model: gate.get(model) for model in board.index}
    assert found.untrusted == ["a_large"]


def test_one_dataset_outside_the_gate_is_enough(store):
    trust = store.tables["trust"]
    again = trust.assign(dataset="other@0000", trusted=[False, True, True])
    store.tables["trust"] = pd.concat([trust, again])
    assert findings(collect(store, {}), resamples=20).untrusted == ["a_large", "a_small"]


def test_a_score_equal_to_the_accuracy_beats_the_baseline(store):
    scores = store.tables["scores"]
    rows = scores["score"] == "naswot"
    scores.loc[rows, "value"] = store.TOP1
    scores.loc[rows, "undefined_because"] = None
    store.tables["models"]["activations"] = [3, 1, 4, 2, 5, 9, 6, 8, 7]
    scores.loc[scores["score"] == "params", "value"] = [3.0, 1, 4, 2, 5, 9, 6, 8]
    found = findings(collect(store, store.DEFAULTS), resamples=200)
    assert found.correlations.loc["naswot", "spearman_rho"] == pytest.approx(1)
    assert found.correlations.loc["naswot", "beats_baseline"]
    best = f"the best baseline, {found.best_baseline} (ρ = "
    assert best in sentences.verdict(found)
    assert sentences.verdict(found).endswith("lies above 0): naswot.")


def test_sentences(found):
    assert sentences.question(found) == "Which score predicts fashion_top1?"
    assert sentences.scope(found) == (
        "6 scores and 2 baselines, judged on 8 models of 4 families; 1 more model without "
        "fashion_top1 left out. Accuracies: measured."
    )
    assert sentences.verdict(found) == (
        "None of 5 scores beats the best baseline, activations (ρ = 0.738): for none of them the "
        "95 % interval of Δ|ρ|, on the same models, lies above 0."
    )
    assert sentences.trust(found).startswith(
        "1 of 3 models that went through the trust gate is outside: "
    )


def test_without_a_baseline_the_verdict_says_so(store):
    scores = store.tables["scores"]
    store.tables["scores"] = scores[scores["score"] != "params"]
    store.tables["models"][["params", "activations"]] = np.nan
    found = findings(collect(store, store.DEFAULTS), resamples=20)
    assert found.best_baseline == ""
    assert sentences.verdict(found) == (
        "No baseline has a correlation here (params, macs, activations), so no score was compared "
        "with one."
    )


def test_without_a_trust_gate_the_report_says_so(store):
    store.tables["trust"] = store.tables["trust"].iloc[:0]
    found = findings(collect(store, {}), resamples=20)
    assert sentences.trust(found).startswith("No model went through the trust gate")
    store.tables["trust"] = pd.DataFrame({"model": ["a_small"], "dataset": "x", "trusted": [True]})
    found = findings(collect(store, {}), resamples=20)
    assert sentences.trust(found) == "All 1 model that went through the trust gate passed it."
