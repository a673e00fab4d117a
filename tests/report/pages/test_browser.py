"""The static site in a real browser: drawn, sorted, filtered; silent, and usable by all."""

import shutil

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from zoo_eval.report import collect, findings
from zoo_eval.report.write import write_findings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium"),
    # playwright leaves its loop's sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
PAGES = [
    *("index", "scores", "scores/dse", "models/a_small", "models/broken", "compare", "runs"),
    "predictions",
]
SCREENS = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
# Each page in one of two forms, by turns; in the other it is slow.
FORMS = [
    pytest.param(name, *form, marks=pytest.mark.slow if (i + j) % 2 else ())
    for i, name in enumerate(PAGES)
    for j, form in enumerate((("desktop", "dark"), ("phone", "light")))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, zoo):
    return write_findings(zoo.found, tmp_path_factory.mktemp("site"), zoo.made).index.parent


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


class Visit:
    """A page that is open, and what it said and asked for."""

    def __init__(self, browser, folder, name, screen, scheme):
        self.context = browser.new_context(viewport=SCREENS[screen], color_scheme=scheme)
        self.context.set_default_timeout(120_000)  # on a machine that has other work
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"file://{folder}/{name}.html")

    def draw_all(self):
        """Bring each figure into view, as a reader does."""
        for canvas in self.page.query_selector_all(".canvas"):
            canvas.scroll_into_view_if_needed()
        for canvas in self.page.query_selector_all(".canvas"):
            canvas.wait_for_selector(".main-svg", state="attached")

    def names(self):
        rows = self.page.query_selector_all("#leaderboard tbody tr")
        return [row.query_selector("th").inner_text() for row in rows if row.is_visible()]


@pytest.fixture
def visit(browser, folder):
    visits = []

    def open_page(name, screen="desktop", scheme="light"):
        visits.append(Visit(browser, folder, name, screen, scheme))
        return visits[-1]

    yield open_page
    for each in visits:
        each.context.close()


@pytest.mark.parametrize(("name", "screen", "scheme"), FORMS)
def test_a_page_is_silent_fits_and_has_no_serious_fault(visit, folder, name, screen, scheme):
    seen = visit(name, screen, scheme)
    seen.draw_all()
    assert seen.said == []
    assert all(url.startswith((f"file://{folder}/", "data:,")) for url in seen.asked)
    width = seen.page.evaluate("document.documentElement.scrollWidth")
    assert width <= SCREENS[screen]["width"]
    # Without what it fetches to look into style sheets: a file may not be fetched.
    found = Axe().run(seen.page, options={"preload": False}).response["violations"]
    assert [(f["id"], [n["html"] for n in f["nodes"]]) for f in found] == []


def test_figures_show_every_model_and_name_the_one_pointed_at(visit):
    seen = visit("scores/dse")
    seen.draw_all()
    plot = seen.page.query_selector("#scatter")
    points = plot.query_selector_all(".scatterlayer .point")
    assert len(points) == 8
    box = points[0].bounding_box()
    seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    label = plot.wait_for_selector(".hoverlayer .hovertext")
    assert "a_large3, 0.8" in label.text_content()  # its name, and where it stands


def test_sorting_by_mouse_and_keyboard(visit):
    seen = visit("index")
    first = seen.names()
    assert first[0] == "c_large"
    header = seen.page.query_selector("#leaderboard thead th:nth-child(2)")
    assert header.get_attribute("aria-sort") == "descending"
    header.query_selector("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert seen.names() == [*first[7::-1], "broken"]  # without accuracy: last both ways
    header.query_selector("button").press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert seen.names() == first


def test_filtering_and_the_link_that_reproduces_it(visit, browser, folder):
    seen = visit("index")
    seen.page.fill(".filter input", "LARGE")
    assert seen.names() == ["c_large", "b_large", "a_large outside the trust gate"]
    assert seen.page.inner_text(".filter output") == "3 of 9"
    seen.page.click("#leaderboard thead th:nth-child(1) button")
    again = seen.context.new_page()
    again.goto(seen.page.url)
    assert again.input_value(".filter input") == "LARGE"
    visible = [row for row in again.query_selector_all("#leaderboard tbody tr") if row.is_visible()]
    assert [row.query_selector("th a").inner_text() for row in visible] == [
        "a_large", "b_large", "c_large",
    ]  # fmt: skip


def test_the_keyboard_reaches_the_content_first(visit):
    seen = visit("index")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.className") == "skip"
    assert seen.page.query_selector(".skip").bounding_box()["x"] >= 0
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "main"
    seen.page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert seen.page.evaluate(outline) == "solid"


def test_hostile_names_run_nowhere(browser, store, made, tmp_path):
    evil = "\"><img src=x onerror=document.title='owned'><b>"
    for name, table in store.tables.items():
        if "model" in table:
            store.tables[name] = table.assign(model=table["model"].replace({"a_small": evil}))
    scores = store.tables["scores"]
    scores["value"] = np.where(
        scores["score"] == "leep", 1.0 + np.arange(len(scores)), scores["value"]
    )
    scores["score"] = scores["score"].replace({"leep": evil})
    found = findings(collect(store, store.DEFAULTS), resamples=20)
    folder = write_findings(found, tmp_path, made).index.parent
    page = next((folder / "scores").glob("*img*.html")).stem
    for name in ("index", "scores", f"scores/{page}", "compare"):
        seen = Visit(browser, folder, name, "desktop", "light")
        seen.draw_all()
        assert seen.said == []
        assert "owned" not in seen.page.title().partition("<")[0]
        assert seen.page.query_selector("main img, main b, .plot b") is None
        seen.context.close()
