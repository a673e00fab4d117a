"""What is read from a store, and how score columns are named."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from zoo_eval.errors import ReportError
from zoo_eval.report import collect
from zoo_eval.report.collect import StoreFrames
from zoo_eval.report.labels import label_settings


def test_one_column_per_setting_and_one_row_per_model_that_was_tried(store, data):
    assert data.scores.columns.tolist() == [
        "params",
        "dse",
        "dse[bandwidth=median]",
        "snip @init",
        "snip @init-neutral",
        "naswot",
        "leep",
        "activations",
    ]
    assert data.scores.index.tolist() == sorted([*store.MODELS, "broken"])
    for frame in (data.models, data.accuracies):
        assert frame.index.equals(data.scores.index)


def test_seeds_are_averaged_and_counted(data):
    # Seeds 0 and 1 are 1 and 3 for the first model, 2 and 2 for the second.
    assert data.scores.loc[["a_small", "a_large"], "snip @init"].tolist() == [2.0, 2.0]
    assert data.columns.loc["snip @init", "seeds"] == 2
    assert data.columns.loc["snip @init-neutral", "seeds"] == 1


def test_a_seed_without_a_value_leaves_the_mean_of_the_others(store):
    scores = store.tables["scores"]
    first = (scores["score"] == "snip") & (scores["weights"] == "init") & (scores["seed"] == 0)
    scores.loc[first, "value"] = np.nan
    scores.loc[first, "undefined_because"] = "no gradient"
    data = collect(store, store.DEFAULTS)
    assert data.scores.loc["a_small", "snip @init"] == 3.0
    assert "snip @init" not in set(data.undefined["score"])


def test_baselines_come_from_scores_and_else_from_the_manifest(data):
    # macs is NaN in the manifest and is no score here.
    assert data.baselines == ["params", "activations"]
    assert data.scores.loc["a_small", "activations"] == 3e6
    assert np.isnan(data.scores.loc["broken", "activations"])


def test_reasons_are_counted_per_score(data):
    assert data.undefined.to_dict("records") == [
        {
            "score": "leep",
            "reason": "one class",
            "n_models": 8,
            "example": "<script>alert(1)</script>",
        },
        {"score": "naswot", "reason": "no ReLU", "n_models": 3, "example": "a_large"},
    ]


def test_seconds_are_the_median_over_models(data):
    # 0.25 + i / 8 for i = 0 … 7
    assert data.columns.loc["dse", "seconds"] == pytest.approx(0.25 + 3.5 / 8, rel=1e-12)
    assert np.isnan(data.columns.loc["activations", "seconds"])


def test_accuracies_are_named_by_benchmark_and_metric(store, data):
    assert sorted(data.accuracies.columns) == ["fashion_top1", "real_top1", "v2_top5"]
    assert data.accuracies.loc[store.MODELS, "fashion_top1"].tolist() == store.TOP1
    assert data.sources["fashion_top1"] == "measured"


def test_only_datasets_that_scores_used_are_reported(data):
    assert data.datasets["name"].tolist() == ["fashion"]


def test_an_empty_store_is_an_error(store):
    store.tables["scores"] = store.tables["scores"].iloc[:0]
    with pytest.raises(ReportError, match="the store has no scores"):
        collect(store, {})


def test_defaults_come_from_the_registry(store):
    """`dsmi` is a score of ours; its default bandwidth is not part of the label."""
    import json

    from zoo_eval.scores import SCORES

    options = SCORES["dsmi"].options
    scores = store.tables["scores"]
    one = scores["score"] == "naswot"
    scores.loc[one, "score"] = "dsmi"
    scores.loc[one, "options"] = json.dumps(options)
    assert "dsmi" in collect(store).scores.columns


def settings(*rows):
    return pd.DataFrame(rows, columns=["score", "options", "weights", "dataset"])


def labels(defaults, *rows):
    return label_settings(settings(*rows), defaults)["label"].tolist()


def test_a_label_shows_only_what_differs_from_the_defaults():
    defaults = {"dsmi": {"bandwidth": "sqrt_dim", "k": 5, "normalise": True}}
    assert labels(
        defaults,
        ("dsmi", '{"bandwidth": "sqrt_dim", "k": 5, "normalise": true}', "pretrained", "d@1"),
        ("dsmi", '{"bandwidth": 10.0, "k": 7, "normalise": false}', "pretrained", "d@1"),
        ("unknown", '{"a": "b", "c": null}', "pretrained", "d@1"),
    ) == ["dsmi", "dsmi[bandwidth=10.0, k=7, normalise=false]", "unknown[a=b, c=null]"]


def test_weights_and_dataset_are_told_apart_only_where_there_are_several():
    assert labels(
        {},
        ("snip", "{}", "init", "d@1"),
        ("snip", "{}", "init-neutral", "d@1"),
        ("logme", "{}", "pretrained", "d@1"),
        ("logme", "{}", "pretrained", "e@2"),
        ("synflow", "{}", "init", "none"),
        ("synflow", "{}", "pretrained", "d@1"),
    ) == [
        "snip @init",
        "snip @init-neutral",
        "logme on d@1",
        "logme on e@2",
        "synflow @init",
        "synflow @pretrained",
    ]


def test_rows_from_before_an_option_existed_keep_a_column_of_their_own():
    defaults = {"dse": {"bandwidth": "sqrt_dim"}}
    assert labels(
        defaults,
        ("dse", "{}", "pretrained", "d@1"),
        ("dse", '{"bandwidth": "sqrt_dim"}', "pretrained", "d@1"),
    ) == ["dse", "dse[bandwidth=sqrt_dim]"]


def test_the_store_has_the_frames_that_are_read():
    from zoo_eval.store import Store

    assert issubclass(Store, StoreFrames)


def test_reports_need_neither_torch_nor_pyplot():
    code = (
        "import sys, zoo_eval.report; "
        "print({'torch', 'matplotlib.pyplot', 'duckdb'} & sys.modules.keys())"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "set()\n"
