"""The page of a ranking: what it says, what it escapes, and in a real browser without scripts."""

import json
import shutil
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from tests.ranking.rankings import RANKING, without_labels
from tests.report.conftest import MADE
from tests.report.pages.document import Document
from zoo_eval.datasets import DatasetSpec
from zoo_eval.errors import ReportError
from zoo_eval.report.pages.ranking import Samples, ranking_page
from zoo_eval.report.rank_files import write_ranking

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SAMPLES = [Samples("Ärger <b>", ["samples/000-0.webp", "samples/000-1.webp"])]
SPEC = DatasetSpec("fashion", ("Dress", "Coat", "Bag"))
OF_FASHION = replace(RANKING, classes=SPEC.classes)


def page(ranking=RANKING) -> Document:
    return Document(ranking_page(ranking, SAMPLES, MADE))


def texts(document: Document, tag: str) -> list[str]:
    return [" ".join(element["text"].split()) for element in document.all(tag)]


def test_every_network_stands_in_the_table_with_its_interval():
    seen = page()
    names = [e["text"].split()[0] for e in seen.all("th", scope="row")]
    assert names == ["good.a", "fair.b", "poor.c"]
    assert texts(seen, "th")[:5] == ["Model", "Place", "Accuracy", "Top 2", "Best"]
    assert "0.750 to 0.850" in texts(seen, "td")[1]
    assert [t for t in texts(seen, "th") if "plain choice" in t] == ["poor.c plain choice"]


def test_names_are_escaped_and_pictures_have_a_text():
    seen = page()
    assert "b" not in {e["tag"] for e in seen.elements}
    assert [image["alt"] for image in seen.all("img")] == ["Ärger <b>, 1", "Ärger <b>, 2"]
    assert "torn.e, for one: load: <b>" in " ".join(texts(seen, "p"))


def test_the_fronts_are_drawn_without_a_script():
    seen = page()
    assert [t.split(" 1 of")[0].split(" 3 of")[0] for t in texts(seen, "figcaption")] == [
        "Accuracy against parameters",
        "Accuracy against speed",
    ]
    assert len(seen.all("circle")) == 6
    assert all(name.endswith(".js") for _, _, name in seen.links() if "static/t" in name)


def test_without_labels_it_says_so_first_and_shows_no_accuracy():
    seen = page(without_labels())
    assert texts(seen, "p")[1 if texts(seen, "p")[0] == "" else 0].startswith("The images have no")
    assert "Accuracy" not in texts(seen, "th")
    assert "participation_ratio" in texts(seen, "th")
    assert seen.all("figure") == []


def test_the_folder_has_all_that_the_page_names(tmp_path):
    index = write_ranking(OF_FASHION, SPEC, tmp_path / "out", "zoo-eval rank photos")
    seen = Document(index.read_text(encoding="utf-8"))
    files = [address for tag, _, address in seen.links() if tag in ("img", "link", "script")]
    assert len([f for f in files if f.startswith("samples/")]) == 3 * 6
    assert all((index.parent / f).is_file() for f in files if not f.startswith("data:"))
    assert json.loads((index.parent / "ranking.json").read_text())["rows"][0]["model"] == "good.a"
    assert texts(seen, "pre") == ["import timm"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReportError, match=r"cannot be written to .*file/out.*--out"):
        write_ranking(OF_FASHION, SPEC, tmp_path / "file" / "out", "")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # playwright leaves its loop's sockets
def test_in_a_browser_it_fits_is_silent_and_usable_by_all(tmp_path):
    index = write_ranking(OF_FASHION, SPEC, tmp_path / "out", "zoo-eval rank photos")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, scheme in ((1280, "light"), (390, "dark")):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme
            )
            seen, said = context.new_page(), []
            seen.on("console", lambda message, said=said: said.append(message.text))
            seen.on("pageerror", lambda error, said=said: said.append(str(error)))
            seen.goto(f"file://{index}")
            assert said == []
            assert seen.evaluate("document.documentElement.scrollWidth") <= width
            found = Axe().run(seen, options={"preload": False}).response["violations"]
            assert [(f["id"], [n["html"] for n in f["nodes"]]) for f in found] == []
            context.close()
        plain = browser.new_context(java_script_enabled=False).new_page()
        plain.goto(f"file://{index}")
        assert plain.inner_text("h1") == "Which network for photos?"
        assert plain.locator("svg[role=img]").count() == 2
        browser.close()
