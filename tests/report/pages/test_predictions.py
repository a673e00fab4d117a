"""The page of predictions says what came out, also where that is nothing."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from tests.report.pages.document import Document, Table
from zoo_eval.correlation.predictor import predict_accuracy
from zoo_eval.report import collect
from zoo_eval.report.html import to_html
from zoo_eval.report.markdown import to_markdown
from zoo_eval.report.pages.predictions import predictions_page
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.predictions import Predictions, predictions

FAMILIES = 12


def wide(store, use_of_score):
    """A store of 48 models of 12 families, with two sizes and two scores."""
    rng = np.random.default_rng(0)
    n = 4 * FAMILIES
    names = [f"net{i}" for i in range(n)]
    size, skill = rng.normal(size=n), rng.normal(size=n)
    top1 = 0.6 + 0.05 * size + 0.05 * use_of_score * skill + rng.normal(0, 0.005, n)
    score = store.tables["scores"].iloc[:1]
    rows = [
        score.assign(model=name, score=label, value=value, weights="any", dataset="none")
        for label, values in (("params", np.exp(size)), ("dse", skill), ("zen", rng.normal(size=n)))
        for name, value in zip(names, values, strict=True)
    ]
    store.tables |= {
        "scores": pd.concat(rows, ignore_index=True),
        "models": pd.DataFrame(
            {
                "model": names,
                "family": [f"family{i % FAMILIES}" for i in range(n)],
                "params": np.exp(size),
            }
        ),
        "accuracies": pd.DataFrame(
            {
                "model": names,
                "benchmark": "fashion",
                "metric": "top1",
                "value": top1,
                "source": "measured",
            }
        ),
        "attempts": store.tables["attempts"].head(0),
        "failures": store.tables["failures"].head(0),
    }
    return collect(store, {})


def predicted(data):
    found = predict_accuracy(
        *(data.scores, data.accuracies["fashion_top1"], data.models["family"]),
        sizes=["params"],
        folds=2,
        level=0.8,  # for 90 %, six families on each side are too few
        resamples=100,
    )
    return Predictions("fashion_top1", {"ridge": found})


@pytest.fixture
def of_wide(store, made):
    def page(use_of_score, links, **how):
        data = wide(store, use_of_score)
        found = predicted(data)
        return predictions_page(Zoo(data, None, {}, made), found, links, **how), found

    return page


def test_what_was_predicted_is_on_the_page(of_wide, links):
    text, found = of_wide(1.0, links)
    one = found.found["ridge"]
    assert one.beats_size
    assert one.verdict.replace("-", "−") in text.replace("-", "−")
    assert ">Yes</span>" in text
    quality = Table(text, "quality")
    assert [row[0] for row in quality.rows] == ["all features", "params"]
    assert quality.column("All features win") == ["", "yes"]
    assert quality.rows[0][2] == f"{one.quality['mae'].iloc[0]:.4f}"
    assert Table(text, "importance").rows[0][0] in ("params", "dse")
    models = Table(text, "predictions")
    best = one.models["accuracy"].idxmax()
    line = one.models.loc[best]
    assert models.rows[0][0].removesuffix(" outside its interval") == best
    assert models.rows[0][2:5] == [
        f"{line['accuracy']:.3f}",
        f"{line['predicted']:.3f}",
        f"{line['low']:.3f} to {line['high']:.3f}",
    ]
    outside = ~one.models["accuracy"].between(one.models["low"], one.models["high"])
    assert text.count("outside its interval") == outside.sum()
    assert f"They hold that of {one.coverage:.1%}" in text
    points = Document(text).all("script", type="application/json")
    assert len(points) == 1


def test_scores_that_do_not_beat_size_are_said_not_to(of_wide, links):
    text, found = of_wide(0.0, links)
    assert not found.found["ridge"].beats_size
    assert ">No</span>" in text
    assert "does not beat params" in text
    assert Table(text, "quality").column("All features win") == ["", "no"]


def test_the_report_in_one_file_states_what_came_out(store, made, found):
    data = predicted(wide(store, 1.0))
    said = data.found["ridge"].verdict
    assert "does not beat" in said or "beats every" in said
    assert f"<li>{said}</li>" in to_html(found, made, data)
    assert f"- {said}" in to_markdown(found, made, {}, data).replace("\\", "")


def test_intervals_without_ends_are_said_to_have_none(store, made, links):
    data = wide(store, 1.0)
    one = predicted(data).found["ridge"]
    unbounded = one.models.assign(low=-np.inf, high=np.inf)
    found = Predictions("fashion_top1", {"ridge": dataclasses.replace(one, models=unbounded)})
    text = predictions_page(Zoo(data, None, {}, made), found, links)
    assert "The intervals of 48 of 48 models have no ends" in text
    assert Table(text, "predictions").rows[0][4] == "no end to no end"


def test_too_few_families_are_said_to_be_too_few(zoo, links):
    found = predictions(zoo.data, "fashion_top1")
    assert found.found == {}
    assert "takes models of 10 families with fashion_top1, but there are 4" in found.why_none
    text = predictions_page(zoo, found, links)
    assert f"Nothing is predicted. {found.why_none}" in text
    assert "data-pending" not in text


def test_what_is_to_come_and_what_failed(zoo, links):
    assert "data-pending" in predictions_page(zoo, None, links)
    text = predictions_page(zoo, None, links, failed=True)
    assert "data-pending" not in text
    assert "Computing this failed" in text


def test_without_an_accuracy_there_is_nothing_to_predict(store, make_zoo, links):
    store.tables["accuracies"] = store.tables["accuracies"].head(0)
    text = predictions_page(make_zoo(store, with_accuracy=False), None, links)
    assert "there is nothing to predict" in text


@pytest.mark.slow
def test_every_method_predicts_from_all_scores(store):
    data = wide(store, 1.0)
    found = predictions(data, "fashion_top1")
    assert list(found.found) == ["ridge", "trees"]
    for one in found.found.values():
        assert len(one.models) == 48
        assert one.beats_size
        assert set(one.importance.index) == set(data.scores)
