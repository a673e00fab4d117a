"""The page: whole, escaped, accessible, and silent on the network."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from zoo_eval.report import collect, findings
from zoo_eval.report.html import MAX_MODELS, to_html
from zoo_eval.report.svg import interval_svg, scatter_svg


class Page(HTMLParser):
    """Elements with their attributes, and the text of each element's own."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in ("meta", "link", "input", "wbr"):
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        if self.open:
            self.open[-1]["text"] += data

    def all(self, tag):
        return [element for element in self.elements if element["tag"] == tag]


@pytest.fixture
def text(found, made):
    return to_html(found, made)


@pytest.fixture
def page(text):
    return Page(text)


def test_every_element_is_closed(page):
    assert page.open == []


def test_nothing_is_fetched(text, page):
    for element in page.elements:
        for attribute in ("src", "href", "action", "poster", "data", "xlink:href"):
            target = element.get(attribute, "#")
            assert target.startswith("#") or target == "data:,", element
    assert not re.search(r"url\s*\(|@import|https?:|//[a-z]", text)
    assert not re.search(r"fetch|XMLHttpRequest|WebSocket|import\s*\(|sendBeacon", text)


def test_a_hostile_model_name_is_text(store, text, page):
    scripts = page.all("script")
    assert len(scripts) == 1
    assert "alert" not in scripts[0]["text"]
    assert store.HOSTILE not in text
    headers = [e["text"] for e in page.all("th") if e.get("scope") == "row"]
    assert store.HOSTILE in headers
    titles = [e["text"] for e in page.all("title")]
    assert f"{store.HOSTILE}: 0.1000, 0.650" in titles
    assert not page.all("b")  # from the message of a failure


def test_hostile_labels_are_text_too(store, made):
    scores = store.tables["scores"]
    scores["score"] = scores["score"].replace({"leep": '"><img src=x>', "naswot": "</title><b>"})
    store.tables["runs"]["command"] = "</dd><b>zoo-eval"
    page = Page(to_html(findings(collect(store, store.DEFAULTS), resamples=20), made))
    assert not page.all("img")
    assert not page.all("b")
    assert page.open == []


def test_tables_have_captions_headers_and_a_name_for_their_region(page):
    tables = {e["id"] for e in page.all("table")}
    assert tables == {"correlations", "seeds", "leaderboard", "undefined", "failures"}
    captions = {e["id"]: e["text"] for e in page.all("caption")}
    for region in (e for e in page.all("div") if e.get("role") == "region"):
        assert captions[region["aria-labelledby"]]
        assert region["tabindex"] == "0"
    assert {e["scope"] for e in page.all("th")} == {"row", "col"}


def test_ids_are_unique_and_links_inside_the_page_have_targets(page):
    ids = [e["id"] for e in page.elements if "id" in e]
    assert len(ids) == len(set(ids))
    assert {e["href"][1:] for e in page.all("a")} <= set(ids)


def test_every_score_with_values_has_a_scatter_with_one_named_point_per_model(store, page, found):
    pictures = [e for e in page.all("svg") if e.get("role") == "img"]
    assert len(pictures) == len(found.drawable) == 7  # all but leep
    # Σd² of the ranks is 4: 1 - 6 · 4 / (8 · 63)
    assert pictures[0]["aria-label"] == "dse against fashion_top1: ρ = 0.952, 8 models"
    points = page.all("circle")
    assert sum("cx" in e and e["r"] == "2.6" for e in points) == 6 * 8 + 5
    names = [e["text"].partition(":")[0] for e in page.all("title")[1:]]
    assert set(names) == set(store.MODELS)


def test_baselines_and_untrusted_models_are_marked_in_words(page):
    marks = [e["text"] for e in page.all("span") if e.get("class") == "mark"]
    assert marks == ["baseline", "baseline", "outside the trust gate"]


def test_sections_without_content_are_left_out(store, made):
    scores = store.tables["scores"]
    kept = ~scores["score"].isin(["naswot", "leep"]) & (scores["seed"] == 0)
    store.tables["scores"] = scores[kept]
    store.tables["failures"] = store.tables["failures"].iloc[:0]
    page = Page(to_html(findings(collect(store, store.DEFAULTS), resamples=20), made))
    assert {e["id"] for e in page.all("table")} == {"correlations", "leaderboard"}
    assert {e["href"] for e in page.all("a")} == {"#scores", "#scatters", "#models", "#made"}


def test_a_long_leaderboard_is_cut_and_says_so(found, made):
    board = pd.concat([found.leaderboard] * 300)
    board.index = pd.Index([f"net{place}" for place in range(len(board))], name="model")
    text = to_html(replace(found, leaderboard=board), made)
    assert text.count('<th scope="row">net') == MAX_MODELS
    assert f"and so are {len(board) - MAX_MODELS:,} more models" in text
    assert "more models" not in to_html(found, made)


def test_provenance_is_stated(text):
    for fact in (
        "zoo-eval report --store zoo.duckdb",
        "89abcdef",
        "2026-08-31 09:05 UTC",
        "python 3.11.7, zoo-eval 0.1.0",
        "fashion, digest 1a2b3c4d5e6f, 2,000 images of 10 classes",
        "zoo-eval run quickstart; 2026-08-30 12:00 UTC; commit 0123abc; python 3.11.7",
    ):
        assert fact in text


def test_untrusted_points_are_drawn_hollow_and_last():
    picture = scatter_svg(
        np.array([1.0, 2.0]), np.array([0.5, 0.6]), ["bad", "good"], np.array([True, False]),
        "title", "score", "accuracy",
    )  # fmt: skip
    inside, outside = picture.split('<g class="outside">')
    assert "good:" in inside
    assert "bad:" in outside


def test_an_interval_is_drawn_to_scale():
    drawn = interval_svg(0.5, 0.25, 1.0, baseline=False)
    assert 'cx="118.0"' in drawn  # 80 + 76 · 0.5
    assert "M99.0 22v8m0-4H156.0" in drawn
    assert interval_svg(float("nan"), float("nan"), float("nan"), baseline=True) == ""
    assert "whisker" not in interval_svg(0.5, float("nan"), float("nan"), baseline=True)
