"""The pages say what the store says, also where little or nothing is known."""

import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from scipy import stats

from tests.report.pages.document import Document, Table
from zoo_eval.errors import InputError
from zoo_eval.report.details import details
from zoo_eval.report.pages.about import about_page
from zoo_eval.report.pages.attempts import failed
from zoo_eval.report.pages.compare import choose, compare_page
from zoo_eval.report.pages.leaderboard import ask, leaderboard_page
from zoo_eval.report.pages.model import model_page
from zoo_eval.report.pages.nothing import nothing_page
from zoo_eval.report.pages.runs import RunsView, RunView, SubmitForm, runs_page, stored_runs
from zoo_eval.report.pages.score import score_page
from zoo_eval.report.pages.scores import scores_page

HOSTILE = "<script>alert(1)</script>"


def plots(text):
    """The figures of a page, each as Plotly accepts it: it refuses what it does not know."""
    found = [json.loads(e["text"]) for e in Document(text).all("script", type="application/json")]
    for figure in found:
        go.Figure(figure)
    return found


def every_page(zoo, links):
    yield "leaderboard", leaderboard_page(zoo, ask(zoo, []), links)
    yield "scores", scores_page(zoo, links)
    for label in zoo.scores:
        yield label, score_page(zoo, label, links)
    for name in zoo.board.index:
        yield name, model_page(zoo, str(name), links)
    yield "compare", compare_page(zoo, choose(zoo, list(zoo.board.index), zoo.scores), links)
    data = zoo.data
    stored = stored_runs(data.runs, data.attempts)
    yield "runs", runs_page(stored, zoo, links)
    yield "about", about_page(zoo, links)


# Scores


def test_every_score_is_in_the_forest_with_a_link_to_its_page(zoo, links):
    table = Table(scores_page(zoo, links), "correlations")
    assert [row[0].removesuffix(" baseline") for row in table.rows] == zoo.scores
    assert table.hrefs["dse[bandwidth=median]"] == "/scores/dse%5Bbandwidth%3Dmedian%5D"
    assert table.column("Spearman ρ")[0].startswith("0.952")


def test_a_score_page_has_definition_statistics_and_figures(zoo, links):
    text = score_page(zoo, "dse", links)
    page = Document(text)
    body = page.all("main")[0]["text"]
    definition = zoo.definitions["dse"]
    assert definition.summary in body
    for block in (*definition.body, *definition.references, definition.unit):
        assert " ".join(block.split()) in " ".join(body.split())
    assert any(e["href"].startswith("https://arxiv.org/") for e in page.all("a"))
    assert Table(text, "statistics").column("Spearman ρ")[0].startswith("0.952")
    off, on = plots(text)
    assert sum(len(trace["x"]) for trace in off["data"]) == 8
    # Σ of products of what is left over the root of the product of the squares: partial ρ
    x, y = (np.concatenate([t[axis] for t in on["data"]]) for axis in "xy")
    expected = zoo.found.correlations.loc["dse", "partial_rho"]
    np.testing.assert_allclose(np.corrcoef(x, y)[0, 1], expected, rtol=1e-4)


def test_families_differ_in_shape_as_well_as_in_colour(zoo, links):
    (figure, _) = plots(score_page(zoo, "dse", links))
    symbols = [trace["marker"]["symbol"] for trace in figure["data"]]
    assert [trace["name"] for trace in figure["data"]] == ["a", "b", "c", "d"]
    assert len(set(symbols)) == 4


def test_models_of_a_score_are_ranked_as_its_paper_claims(zoo, links, store):
    values = Table(score_page(zoo, "dse", links), "values")
    assert values.rows[0][:3] == ["c_large", "1 of 8", "5.000"]
    # Nothing is claimed of snip here that its sign would not say: ρ of init-neutral is negative.
    assert zoo.definitions["snip"].higher_is_better is not None


def test_reasons_for_gaps(zoo, links):
    reasons = Table(score_page(zoo, "naswot", links), "reasons")
    assert reasons.rows == [["no ReLU", "3", "a_large"]]
    assert '<a href="/models/a_large">a_large</a>' in score_page(zoo, "naswot", links)
    assert 'id="reasons"' not in score_page(zoo, "dse", links)


def test_what_a_correlation_depends_on(zoo, links):
    found = zoo.found
    more = details(zoo.data, found.truth, ["dse"], resamples=20)["dse"]
    text = score_page(zoo, "dse", links, more)
    assert "data-pending" not in text
    coefficients = Table(text, "coefficients")
    assert [row[0] for row in coefficients.rows][:3] == ["Spearman ρ", "Kendall τ_b", "Pearson r"]
    assert coefficients.rows[0][1].startswith("0.952")
    subsets = Table(text, "subsets")
    assert subsets.rows[0][0] == "all"
    assert subsets.rows[0][1].startswith("0.952")
    assert subsets.rows[-1][0].startswith("top fifth by accuracy")
    assert "only 2 models have it" in subsets.rows[-1][0]
    # v2 has another metric; real has the same values for six models.
    truths = Table(text, "truths")
    assert [row[0] for row in truths.rows] == ["fashion_top1", "real_top1"]
    assert truths.hrefs["real_top1"] == "?truth=real_top1"
    assert Table(text, "sizes").rows[0][0].startswith("given params")
    top = Table(text, "top")
    assert top.rows[0] == ["1 model", "1.000", "0.000", "1.000"]
    influences = Table(text, "influences")
    assert {row[1] for row in influences.rows} == {"model", "family"}
    name, _, rho, change, n = influences.rows[0]
    rest = zoo.board.drop(index=name)
    expected = stats.spearmanr(rest["dse"], rest["fashion_top1"], nan_policy="omit").statistic
    assert float(rho.replace("−", "-")) == pytest.approx(expected, abs=5e-4)
    whole = found.correlations.at["dse", "spearman_rho"]
    assert float(change.replace("−", "-")) == pytest.approx(expected - whole, abs=5e-5)
    assert n == "7"


def test_a_score_page_says_that_more_is_to_come_or_failed(zoo, links):
    text = score_page(zoo, "dse", links)
    assert "data-pending" in text
    assert "/static/pending.js" in text
    text = score_page(zoo, "dse", links, failed=True)
    assert "data-pending" not in text
    assert "/static/pending.js" not in text
    assert "Computing this failed" in text


def test_a_score_that_is_not_installed_says_so(store, make_zoo, links):
    scores = store.tables["scores"]
    scores["score"] = scores["score"].replace({"snip": "theirs"})
    text = score_page(make_zoo(store), "theirs @init", links)
    assert "not installed here" in text


def test_unknown_names_are_refused(zoo, links):
    with pytest.raises(InputError, match="There is no score 'nosuch' here"):
        score_page(zoo, "nosuch", links)
    with pytest.raises(InputError, match="There is no model 'nosuch' here"):
        model_page(zoo, "nosuch", links)


# Models


def test_a_model_page_has_ranks_percentiles_and_sources(zoo, links):
    text = model_page(zoo, "b_small", links)
    scores = Table(text, "scores")
    row = dict(zip(scores.titles, scores.rows[zoo.scores.index("dse")], strict=True))
    # dse: 5, 4, 3.5, 3, 2 …: fifth of eight, and 3 of 7 others below
    assert (row["Value"], row["Rank"], row["Percentile"]) == ("2.000", "5 of 8", "43")
    row = dict(zip(scores.titles, scores.rows[zoo.scores.index("leep")], strict=True))
    assert (row["Value"], row["Rank"], row["No value because"]) == ("", "", "one class")
    accuracies = Table(text, "accuracies")
    assert accuracies.rows[0] == ["fashion_top1 judged by", "0.720", "5 of 8", "measured"]
    assert [row[0] for row in accuracies.rows[1:]] == ["real_top1", "v2_top5"]
    attempts = Table(text, "attempts")
    assert attempts.rows[0][:3] == ["pretrained", "2026-08-30 12:02", "3.5 s"]


def test_siblings_are_other_weights_of_the_architecture(store, make_zoo, links):
    rename = {"a_small": "net.one", "b_small": "net.two@320", "c_small": "network.one"}
    for name, table in store.tables.items():
        if "model" in table:
            store.tables[name] = table.assign(model=table["model"].replace(rename))
    text = model_page(make_zoo(store), "net.one", links)
    assert Table(text, "siblings").column("Model") == ["net.two@320", "net.one this model"]


def test_a_failed_model_shows_its_traceback_folded(zoo, links):
    text = model_page(zoo, "broken", links)
    page = Document(text)
    assert "The store has no accuracy of this model." in page.all("main")[0]["text"]
    (traceback,) = [e for e in page.all("pre") if "details" in e["inside"]]
    assert traceback["text"] == "Traceback:\n  <b>line 1</b>"
    assert not page.all("b")


# Compare


def test_two_scores_disagree_and_one_is_right(zoo, links):
    choice = choose(zoo, [], ["dse", "snip @init"])
    text = compare_page(zoo, choice, links)
    table = Table(text, "disagreements")
    assert len(table.rows) == 8
    first = table.rows[0]
    assert first[0] == HOSTILE  # dse puts it last, snip first; it is seventh
    assert first[-1] == "dse"
    verdict = Document(text).all("div", **{"class": "verdict"})[0]["text"]
    assert "dse is right in" in verdict
    (figure,) = plots(text)
    assert sum(len(trace["x"]) for trace in figure["data"]) == 8


def test_models_side_by_side(zoo, links):
    text = compare_page(zoo, choose(zoo, ["c_large", "d|odd"], []), links)
    table = Table(text, "models")
    rows = {row[0]: row[1:] for row in table.rows}
    assert table.titles == ["Fact", "c_large", "d|odd"]
    assert rows["dse"] == ["5.000 (1 of 8)", "0.5000 (7 of 8)"]
    assert rows["fashion_top1"] == ["0.850 (1 of 8)", "0.600 (8 of 8)"]
    assert rows["params"] == ["9.00 M", "5.00 M"]


def test_a_choice_is_checked(zoo):
    names = [str(name) for name in zoo.board.index]
    choice = choose(zoo, [*names, "nosuch"], ["dse", "dse", "odd"])
    assert len(choice.models) == 6
    assert choice.scores == ("dse",)
    assert choice.problems == (
        "There is no model 'nosuch'.",
        "There is no score 'odd'.",
        "At most 6 models fit side by side; the first are shown.",
        "Choose another score to compare with dse.",
    )


# Runs and about


def test_stored_runs_count_networks(zoo, links):
    data = zoo.data
    text = runs_page(stored_runs(data.runs, data.attempts), zoo, links)
    table = Table(text, "runs-table")
    assert table.titles == ["Job", "State", "Networks", "Failed", "Started (UTC)", "Ended (UTC)"]
    assert table.column("Networks") == ["9"]
    assert table.column("Failed") == ["1"]
    failures = Table(text, "failures")
    assert failures.hrefs["broken"] == "/models/broken"


def test_failures_are_last_tries_in_the_order_of_the_runs():
    runs = pd.DataFrame({"run": ["first", "second"]})
    tries = [
        ("second", "healed", "ok"),  # the clock was set back: it stands before the first run's
        ("first", "healed", "error"),
        ("first", "broken", "ok"),
        ("second", "broken", "killed"),
        ("first", "fine", "undefined"),
    ]
    attempts = pd.DataFrame(tries, columns=["run", "model", "outcome"])
    attempts = attempts.assign(weights="pretrained", seed=0)
    assert [(each.model, each.outcome) for each in failed(runs, attempts)] == [("broken", "killed")]
    assert failed(runs, attempts.iloc[:0]) == []


def test_a_live_page_of_runs_has_progress_buttons_and_a_form(links):
    run = RunView(
        "id1", HOSTILE, "running", "zoo-eval run x", "2026-01-01 12:00", "", 5, 1, 20, "3 min",
        cancel="/runs/id1/cancel", log="/log",
    )  # fmt: skip
    waits = RunView("id2", "next", "queued", "", "2026-01-01 12:01", "", None, 0, cancel="/c")
    form = SubmitForm("/runs", "job", "</textarea><b>", ("job.toml: <i>manifest</i> is missing",))
    text = runs_page(RunsView((run, waits), (), form, "/api/v1/runs/events"), None, links)
    page = Document(text)
    (progress,) = page.all("progress")
    assert (progress["value"], progress["max"]) == ("5", "20")
    assert Table(text, "runs-table").column("Left") == ["3 min", ""]
    assert [e["action"] for e in page.all("form")] == ["/runs/id1/cancel", "/c", "/runs"]
    assert all(e["method"] == "post" for e in page.all("form"))
    assert page.all("textarea")[0]["text"] == "</textarea><b>"
    assert page.all("div", id="live")[0]["data-events"] == "/api/v1/runs/events"
    assert "<i>manifest</i>" in page.all("div", role="alert")[0]["text"]
    assert not page.all("b") + page.all("i")


def test_about_states_what_made_it(zoo, links):
    text = Document(about_page(zoo, links)).all("main")[0]["text"]
    for fact in ("89abcdef", "2026-08-31 09:05 UTC", "20 resamples of families, seed 0"):
        assert fact in text
    assert "from −1 to 1" in text


# Little or nothing


def test_without_an_accuracy_the_pages_still_show_the_models(store, make_zoo, links):
    store.tables["accuracies"] = store.tables["accuracies"].iloc[:0]
    zoo = make_zoo(store, with_accuracy=False)
    pages = dict(every_page(zoo, links))
    assert "none of them has an accuracy" in pages["leaderboard"]
    assert len(Table(pages["leaderboard"], "leaderboard").rows) == 9
    assert Table(pages["scores"], "correlations").titles == ["Score", "Models", "Meaning"]
    assert not plots(pages["dse"])


def test_one_model(store, make_zoo, links):
    for name in ("scores", "accuracies", "attempts", "trust"):
        table = store.tables[name]
        store.tables[name] = table[table["model"] == "a_small"]
    store.tables["failures"] = store.tables["failures"].iloc[:0]
    zoo = make_zoo(store)
    pages = dict(every_page(zoo, links))
    assert Table(pages["leaderboard"], "leaderboard").column("Model") == ["a_small"]
    assert Table(pages["a_small"], "scores").column("Rank")[0] == "1 of 1"


def test_nothing_leads_on(links):
    page = Document(nothing_page("leaderboard", "Nothing here yet", "Run <it> first.", None, links))
    assert "Run <it> first." in page.all("main")[0]["text"]
    pages = ["/", "/scores", "/predictions?method=ridge", "/compare", "/rank", "/runs", "/about"]
    assert [e["href"] for e in page.all("a")][2:] == pages


# Every page


def test_every_page_is_whole_named_and_silent(zoo, links):
    for name, text in every_page(zoo, links):
        page = Document(text)
        plots(text)
        assert len(page.all("h1")) == 1, name
        assert page.all("title")[0]["text"].endswith("· zoo_eval")
        ids = [e["id"] for e in page.elements if "id" in e]
        assert len(ids) == len(set(ids)), name
        for table in page.all("table"):
            assert f"{table['id']}-caption" in ids or "caption" in str(ids), name
        assert all(e.get("scope") in ("row", "col") for e in page.all("th")), name
        for tag, _, address in page.links():
            assert address.startswith(("/", "#", "data:,")) or tag == "a", (name, address)
        assert not [e for e in page.elements if "style" in e or "onclick" in e], name
        assert not [s for s in page.all("script") if "src" not in s and "type" not in s], name


def test_hostile_names_are_text_on_every_page(store, make_zoo, links):
    evil = '"><img src=x onerror=alert(1)></script><script>alert(2)</script>'
    for name, table in store.tables.items():
        if "model" in table:
            store.tables[name] = table.assign(model=table["model"].replace({"a_small": evil}))
    store.tables["scores"]["score"] = store.tables["scores"]["score"].replace({"naswot": evil})
    store.tables["models"]["family"] = store.tables["models"]["family"].replace({"a": evil})
    store.tables["models"]["licence"] = evil
    store.tables["runs"]["command"] = evil
    store.tables["attempts"]["traceback"] = evil
    store.tables["accuracies"]["source"] = evil
    zoo = make_zoo(store)
    for name, text in every_page(zoo, links):
        page = Document(text)
        assert not page.all("img"), name
        scripts = [s for s in page.all("script") if "src" not in s]
        assert all(s["type"] == "application/json" for s in scripts), name
    text = model_page(zoo, evil, links)
    assert Document(text).all("h1")[0]["text"] == evil
    # Plotly takes markup in a name for markup: it gets none.
    (figure, _) = plots(score_page(zoo, "dse", links))
    names = [text for trace in figure["data"] for text in trace["text"]]
    assert not any("<" in name for name in names)


def test_a_snippet_is_python_that_holds_no_more_than_names():
    from zoo_eval.report.pages.snippet import loading_snippet

    evil = "net.x'); __import__('os').system('true') #"
    cases = [
        (evil, "{}"),
        ("net.tag@320", "{}"),
        ("net.tag", "not json"),
        ("net.tag", json.dumps({"weights_file": "w'.pt", "arguments": '{"a b=1, c": 2, "d": 3}'})),
        ("net.tag", json.dumps({"registered_by": "mine.nets"})),
        ("net.tag", json.dumps({"registered_by": "os; os.abort()"})),
    ]
    for model, line in cases:
        compile(loading_snippet(model, line), "snippet", "exec")
    text = loading_snippet(*cases[0])
    assert f"timm.create_model({evil!r}, pretrained=True)" in text
    assert "img_size=320" in loading_snippet(*cases[1])
    assert "a b" not in loading_snippet(*cases[3])
    assert "    d=3,\n" in loading_snippet(*cases[3])
    assert loading_snippet(*cases[4]).startswith("import mine.nets  # adds")
    assert "abort" not in loading_snippet(*cases[5])


def test_the_board_prefers_counted_sizes_to_published_ones(zoo, store):
    assert zoo.board.loc["a_small", "params"] == 1e6
    assert zoo.board.loc["a_small", "images_per_second"] == 2000 / 0.25
    assert pd.isna(zoo.board.loc["broken", "images_per_second"])
    assert zoo.board.loc["a_large", "trusted"] == "outside"
    assert zoo.board.loc["broken", "family"] == ""
