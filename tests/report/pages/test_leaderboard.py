"""The leaderboard: the right models in the right order, and links that lead to the other views."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.report.pages.document import Document, Table
from zoo_eval.report.pages.leaderboard import ask, leaderboard_page, select
from zoo_eval.report.pages.query import LeaderboardQuery, Range

BY_ACCURACY = [
    *("c_large", "b_large", "a_large", "c_small", "b_small", "a_small"),
    "<script>alert(1)</script>",
    "d|odd",
]


def names(zoo, **asked):
    return select(zoo, LeaderboardQuery(**asked)).shown.index.tolist()


def test_best_accuracy_first_and_models_without_one_last(zoo):
    assert names(zoo) == [*BY_ACCURACY, "broken"]
    assert names(zoo, descending=False) == [*BY_ACCURACY[::-1], "broken"]


def test_sorted_by_a_score_and_by_text(zoo):
    # naswot is 3 … 7 for the last five models, and undefined for the first three
    assert names(zoo, sort="naswot")[:5] == [
        "<script>alert(1)</script>", "d|odd", "c_large", "c_small", "b_large",
    ]  # fmt: skip
    assert names(zoo, sort="model", descending=False)[:3] == [
        "<script>alert(1)</script>", "a_large", "a_small",
    ]  # fmt: skip
    assert names(zoo, sort="family", descending=False)[-1] == "broken"  # has no family


def test_filters_narrow_down_together(zoo):
    assert names(zoo, text="LARGE") == ["c_large", "b_large", "a_large"]
    assert names(zoo, text="|") == ["d|odd"]
    assert names(zoo, text="[") == []  # no pattern, just text
    assert names(zoo, family="d") == ["<script>alert(1)</script>", "d|odd"]
    limits = (Range("params", 3e6, 8e6), Range("fashion_top1", high=0.8))
    assert names(zoo, ranges=limits, text="a") == ["a_large", "c_small", BY_ACCURACY[6]]


def test_pages_follow_each_other_without_gap(zoo):
    pages = [names(zoo, rows=4, page=page) for page in (1, 2, 3)]
    assert pages[0] + pages[1] + pages[2] == [*BY_ACCURACY, "broken"]
    last = select(zoo, LeaderboardQuery(rows=4, page=99))
    assert (last.page, last.pages) == (3, 3)


def test_the_table_shows_the_chosen_columns(zoo, links):
    asked = ask(zoo, [("column", "params"), ("column", "family"), ("q", "small")])
    text = leaderboard_page(zoo, asked, links)
    table = Table(text, "leaderboard")
    assert table.titles == ["Model", "params", "family"]
    assert table.rows == [
        ["c_small", "3.00 M", "c"],
        ["b_small", "2.00 M", "b"],
        ["a_small", "1.00 M", "a"],
    ]
    assert table.caption == "3 models by fashion_top1"


def test_a_title_links_to_the_table_sorted_by_it_and_then_the_other_way(zoo, links):
    text = leaderboard_page(zoo, ask(zoo, [("q", "a"), ("page", "2"), ("rows", "3")]), links)
    table = Table(text, "leaderboard")
    assert table.order == {"fashion_top1": "descending"}
    sort = {e["text"]: e["href"] for e in Document(text).all("a", **{"class": "sort"})}
    asked = dict(parse_qsl(urlsplit(sort["dse"]).query))
    assert asked == {"q": "a", "sort": "dse", "rows": "3"}  # from the first page again
    asked = dict(parse_qsl(urlsplit(sort["fashion_top1"]).query))
    assert asked == {"q": "a", "sort": "fashion_top1", "order": "ascending", "rows": "3"}
    asked = dict(parse_qsl(urlsplit(sort["Model"]).query))
    assert asked == {"q": "a", "sort": "model", "order": "ascending", "rows": "3"}


def test_links_to_the_pages_around(zoo, links):
    text = leaderboard_page(zoo, ask(zoo, [("rows", "1"), ("page", "5")]), links)
    start = text.index('<nav class="steps"')
    steps = Document(text[start : text.index("</nav>", start) + 6])
    assert [e["text"] for e in steps.all("a")] == ["1", "3", "4", "5", "6", "7", "9"]
    assert [e["text"] for e in steps.all("a", **{"aria-current": "page"})] == ["5"]
    assert steps.all("a")[0]["href"] == "/?rows=1"


def test_every_control_of_the_form_states_the_view(zoo, links):
    given = [("q", '"><b>'), ("min:params", "2e6"), ("column", "params"), ("sort", "params")]
    page = Document(leaderboard_page(zoo, ask(zoo, given), links))
    fields = {e["name"]: e.get("value") for e in page.all("input")}
    assert fields["q"] == '"><b>'
    assert fields["min:params"] == "2000000"
    assert fields["max:params"] == ""
    chosen = [e["value"] for e in page.all("input", name="column") if "checked" in e]
    assert chosen == ["params"]
    assert "params" in [e.get("value") for e in page.all("option") if "selected" in e]
    assert not page.all("b")


def test_problems_are_said_and_nothing_else_is_lost(zoo, links):
    page = Document(leaderboard_page(zoo, ask(zoo, [("sort", "<i>"), ("q", "c_")]), links))
    (alert,) = page.all("div", role="alert")
    assert "There is no column '<i>' to sort by." in alert["text"]
    assert not page.all("i")


def test_nothing_matches(zoo, links):
    text = leaderboard_page(zoo, ask(zoo, [("q", "nosuch")]), links)
    assert Table(text, "leaderboard").caption == "No model matches"
    assert "Pareto" not in text


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_downloads_are_of_this_view(zoo, links, kind):
    page = Document(leaderboard_page(zoo, ask(zoo, [("q", "c_")]), links))
    hrefs = [e["href"] for e in page.all("a") if "download" in e]
    assert f"/leaderboard.{kind}?q=c_" in hrefs


def test_a_model_outside_the_trust_gate_is_marked_in_words(zoo, links):
    text = leaderboard_page(zoo, ask(zoo, []), links)
    assert "a_large outside the trust gate" in Table(text, "leaderboard").column("Model")


def test_below_an_estimate_stands_its_interval(zoo, links):
    asked = ask(zoo, [("column", "dse[bandwidth=median]"), ("column", "dse"), ("q", "c_small")])
    table = Table(leaderboard_page(zoo, asked, links), "leaderboard")
    # Stored as 4.0, from 0.25 below to 0.5 above.
    assert table.rows == [["c_small", "4.000 3.750 to 4.500", "3.500"]]


def test_the_mean_over_seeds_has_no_interval(store, make_zoo):
    scores = store.tables["scores"]
    store.tables["scores"] = scores.assign(low=scores["value"] - 1, high=scores["value"] + 1)
    intervals = make_zoo(store).data.intervals
    assert "dse" in intervals
    assert "snip @init" not in intervals
