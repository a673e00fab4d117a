"""What seeds change: in the data, the tables, the files and the page of a score."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import zoo_eval
from tests.zoo import write_job, write_zoo
from zoo_eval.report import collect, findings
from zoo_eval.report.html import to_html
from zoo_eval.report.markdown import to_markdown
from zoo_eval.report.tables import seeds_table
from zoo_eval.report.write import write_findings

FIRST = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
SECOND = [3.0, 2.0, 5.0, 4.0, 7.0, 6.0, 9.0, 8.0]


@pytest.fixture
def one_seed(store):
    scores = store.tables["scores"]
    store.tables["scores"] = scores[scores["seed"] == 0]
    return collect(store, store.DEFAULTS)


def test_only_scores_of_several_seeds_are_there(data, store):
    assert list(data.by_seed) == ["snip @init"]
    by_seed = data.by_seed["snip @init"]
    assert by_seed.loc[store.MODELS, 0].tolist() == FIRST
    assert by_seed.loc[store.MODELS, 1].tolist() == SECOND


def test_statistics_equal_scipys(data):
    line = data.over_seeds.loc["snip @init"]
    f = stats.f_oneway(*zip(FIRST, SECOND, strict=True)).statistic
    assert line["icc"] == pytest.approx((f - 1) / (f + 1), rel=1e-9)
    assert line["seed_tau"] == pytest.approx(stats.kendalltau(FIRST, SECOND).statistic, rel=1e-9)
    deviations = np.abs(np.subtract(FIRST, SECOND)) / np.sqrt(2)
    assert line["median_sd"] == pytest.approx(np.median(deviations), rel=1e-9)
    assert (line["models"], line["seeds"]) == (8, 2)


def test_a_model_without_a_second_seed_has_no_deviation(store):
    scores = store.tables["scores"]
    second = (scores["seed"] == 1) & (scores["model"] == "a_small")
    scores.loc[second, "value"] = np.nan
    data = collect(store, store.DEFAULTS)
    means = data.seed_means.set_index("model")
    assert means.loc["a_small", "seeds"] == 1
    assert np.isnan(means.loc["a_small", "sd"])
    assert data.over_seeds.loc["snip @init", "models"] == 7


def test_the_table(found):
    table = seeds_table(found.data, found.scores)
    texts = [cell.text for cell in table.rows[0].cells]
    assert texts == ["snip @init", "8", "2", "0.7071", "0.839", "0.714", "91.5%"]
    assert table.rows[0].cells[4].interval == "0.432 to 0.965"


def test_one_seed_is_not_worth_a_word(one_seed, made, tmp_path):
    assert one_seed.by_seed == {}
    assert one_seed.over_seeds.empty
    assert one_seed.seed_means.empty
    found = findings(one_seed, resamples=20)
    assert not seeds_table(one_seed, found.scores).rows
    assert "Over seeds" not in to_markdown(found, made, {})
    assert "Over seeds" not in to_html(found, made)
    assert write_findings(found, tmp_path, made, predict=False).over_seeds == ()


def test_the_files(found, made, tmp_path):
    files = write_findings(found, tmp_path, made, predict=False)
    of_scores, of_models = (pd.read_csv(path, index_col=0) for path in files.over_seeds)
    pd.testing.assert_frame_equal(
        of_scores, found.data.over_seeds, check_exact=True, check_index_type=False
    )
    assert of_models.loc["snip @init", "sd"].tolist() == found.data.seed_means["sd"].tolist()
    assert "Over seeds" in files.html.read_text(encoding="utf-8")


def test_a_real_run_with_two_seeds(tmp_path):
    manifest = write_zoo(tmp_path / "zoo", 3)
    job = write_job(tmp_path, manifest, "seeds = [0, 1]", '["params", "grad_norm"]')
    store = zoo_eval.Store(tmp_path / "zoo.duckdb")
    zoo_eval.run(job, store)
    data = collect(store)
    stored = store.scores()
    stored = stored[stored["score"] == "grad_norm"].pivot(
        index="model", columns="seed", values="value"
    )
    assert list(data.by_seed) == ["grad_norm"]
    np.testing.assert_array_equal(data.by_seed["grad_norm"], stored)
    assert (data.seed_means["sd"] > 0).all()
    f = stats.f_oneway(*stored.to_numpy()).statistic
    assert data.over_seeds.loc["grad_norm", "icc"] == pytest.approx((f - 1) / (f + 1), rel=1e-9)
