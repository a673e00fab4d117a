"""The static site: whole, every link leads to a file, names of any kind become file names."""

import csv
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.pages.document import Document, Table
from zoo_eval.report import collect, findings
from zoo_eval.report.csv_text import csv_text
from zoo_eval.report.slugs import slugs
from zoo_eval.report.write import write_findings

EVIL = "../../=cmd|' /C calc'!A0"


@pytest.fixture(scope="module")
def site(tmp_path_factory, zoo):
    return write_findings(zoo.found, tmp_path_factory.mktemp("site"), zoo.made)


def broken_links(folder):
    """Links of a site's pages that lead to no file, or out of the folder."""
    found = []
    for page in folder.rglob("*.html"):
        for _, _, address in Document(page.read_text(encoding="utf-8")).links():
            parts = urlsplit(address)
            if parts.scheme in ("data", "https") or not parts.path:
                continue
            target = (page.parent / unquote(parts.path)).resolve()
            if not (target.is_file() and target.is_relative_to(folder.resolve())):
                found.append((page.name, address))
    return found


def test_every_link_leads_to_a_file(site):
    assert broken_links(site.index.parent) == []


def test_every_file_of_the_site_can_be_reached_from_its_first_page(site):
    seen, ahead = set(), [site.index.resolve()]
    while ahead:
        page = ahead.pop()
        if page in seen:
            continue
        seen.add(page)
        if page.suffix == ".html":
            links = Document(page.read_text(encoding="utf-8")).links()
            paths = [urlsplit(address).path for _, _, address in links if ":" not in address]
            ahead += [(page.parent / unquote(path)).resolve() for path in paths if path]
    written = {page.resolve() for page in (*site.pages, site.index, site.html, site.markdown)}
    assert written <= seen


def test_names_of_scripts_are_file_names(site, zoo):
    pages = {page.name for page in site.pages if page.parent.name == "models"}
    assert len(pages) == len(zoo.board)
    assert "script-alert-1-script.html" in pages
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in pages)


def test_models_and_scores_beyond_the_most_pages_are_named_without_a_link(zoo, tmp_path):
    files = write_findings(zoo.found, tmp_path, zoo.made, most_pages=2)
    names = sorted(p.name for p in files.pages if p.parent.name in ("models", "scores"))
    assert names == ["activations.html", "b_large.html", "c_large.html", "dse.html"]
    table = Table(files.index.read_text(encoding="utf-8"), "leaderboard")
    assert len(table.rows) == len(zoo.board)
    assert set(table.hrefs) == {"c_large", "b_large"}
    assert broken_links(tmp_path) == []


def test_hostile_names_stay_inside_the_folder_and_inert(store, made, tmp_path):
    for name, table in store.tables.items():
        if "model" in table:
            store.tables[name] = table.assign(model=table["model"].replace({"a_small": EVIL}))
    store.tables["scores"]["score"] = store.tables["scores"]["score"].replace({"naswot": EVIL})
    found = findings(collect(store, store.DEFAULTS), resamples=20)
    folder = tmp_path / "inside"
    write_findings(found, folder, made)
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert broken_links(folder) == []


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(deadline=None)
@given(st.lists(texts, unique=True))
def test_slugs_are_safe_and_differ_in_every_file_system(names):
    found = slugs(names)
    assert list(found) == names
    files = [slug.casefold() for slug in found.values()]
    assert len(set(files)) == len(files)
    assert all(re.fullmatch(r"[a-z0-9._-]+", file) for file in files)
    assert not {"", ".", "..", "con", "index", "nul"} & set(files)


def test_long_names_fit_into_a_file_system():
    assert max(map(len, slugs(["x" * 400, "x" * 400 + "y"]).values())) < 200


def test_a_cell_that_would_be_a_formula_is_text():
    index = pd.Index(["=1+1", "@sum", "-2+3", "+4", "plain"], name="model")
    table = pd.DataFrame({"score": [-1.5, 2.0, None, 1e-9, 3.0], "=evil": "a"}, index)
    read = list(csv.reader(csv_text(table).splitlines()))
    assert read[0] == ["model", "score", "'=evil"]
    assert [row[0] for row in read[1:]] == ["'=1+1", "'@sum", "'-2+3", "'+4", "plain"]
    assert [row[1] for row in read[1:]] == ["-1.5", "2.0", "", "1e-09", "3.0"]


def test_the_package_has_all_that_the_site_needs(site):
    static = {path.name for path in (site.index.parent / "static").iterdir()}
    assert static == {"style.css", "tables.js", "figures.js", "plotly.min.js"}
    assert Path(site.index).read_text(encoding="utf-8").count("<script") >= 3
