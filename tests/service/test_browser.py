"""The real service in a real browser: every page, live, silent, and usable by all."""

import re
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.ranking.conftest import write_images
from tests.service.browsing import MARKS, PATIENCE_MS, Visit
from tests.service.conftest import HOSTILE, fill
from tests.service.service import Service
from tests.zoo import write_job, write_zoo

pytestmark = MARKS
PAGES = [
    *("/", "/?sort=params&q=net&truth=real_top1", "/scores", "/scores/naswot", "/predictions"),
    *("/models/net.a", f"/models/{quote(HOSTILE, safe='')}", "/runs", "/rank", "/about"),
    *("/nosuch", "/compare?model=net.a&model=net.b&score=naswot&score=ntk_condition"),
]


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A job of 30 tiny networks on two kinds of weights, and the folder that it names."""
    folder = tmp_path_factory.mktemp("zoo")
    return write_job(folder, write_zoo(folder, 30)), folder


@pytest.fixture(scope="module")
def service(tmp_path_factory, job):
    path = tmp_path_factory.mktemp("served") / "r.duckdb"
    fill(path)
    with Service(path, "--allow", str(job[1])) as service:
        yield service


@pytest.fixture
def visit(browser, service):
    visits = []

    def begin(screen="desktop", scheme="light"):
        visits.append(Visit(browser, str(service.client.base_url), screen, scheme))
        return visits[-1]

    yield begin
    for each in visits:
        each.context.close()


@pytest.mark.parametrize(
    ("screen", "scheme"),
    [
        ("phone", "dark"),
        pytest.param("desktop", "light", marks=pytest.mark.slow),
        pytest.param("desktop", "dark", marks=pytest.mark.slow),
        pytest.param("phone", "light", marks=pytest.mark.slow),
    ],
)
def test_every_page_is_silent_fits_and_has_no_serious_fault(visit, screen, scheme):
    seen = visit(screen, scheme)
    for address in PAGES:
        seen.is_sound(address)


def test_sorting_filtering_and_another_accuracy(visit):
    seen = visit()
    seen.go("/")
    page = seen.page
    header = page.locator("#leaderboard thead th", has_text="params")
    header.get_by_role("link").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    first = seen.column("leaderboard", 1)
    header.get_by_role("link").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    assert seen.column("leaderboard", 1) == first[::-1]
    page.get_by_label("Name contains").fill("net.")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#leaderboard tbody tr")).to_have_count(2)
    assert "q=net." in page.url
    assert "sort=params" in page.url
    page.get_by_text("Judged by").click()
    page.get_by_role("link", name="real_top1").click()
    expect(page.locator("#leaderboard thead th").nth(1)).to_contain_text("real_top1")
    expect(page.locator("#leaderboard tbody tr")).to_have_count(2)  # the view is kept
    page.get_by_role("link", name="Scores", exact=True).click()
    expect(page.locator("h1")).to_have_text("Which score predicts real_top1?")
    with page.expect_download() as download:
        seen.page.goto(f"{seen.base}/")
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "leaderboard.csv"
    seen.is_silent()


def test_what_is_being_computed_comes_by_itself(visit):
    seen = visit()
    seen.page.goto(f"{seen.base}/scores/knn_accuracy?truth=real_top1")
    expect(seen.page.locator("#subsets")).to_be_attached(timeout=PATIENCE_MS)
    seen.is_silent()


def test_a_run_is_submitted_followed_and_cancelled(visit, service, job):
    seen = visit()
    seen.go("/runs")
    page = seen.page
    page.get_by_label("Take it from a file").set_input_files(job[0])
    expect(page.get_by_label("Name")).to_have_value(job[0].stem)
    page.get_by_label("Name").fill("first")
    page.get_by_role("button", name="Submit").click()
    row = page.locator("#runs-table tbody tr", has_text="first")
    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE_MS)
    # Nothing reloads the page but what the service sends.
    page.evaluate("window.same = true")
    expect(row.locator(".state")).to_have_text("running", timeout=PATIENCE_MS)
    expect(row.locator(".progress")).to_have_text(
        re.compile(r"^\s*[1-9]\d* of 60"), timeout=PATIENCE_MS
    )
    row.get_by_role("button", name="Cancel").click()
    expect(row.locator(".state")).to_have_text("cancelled", timeout=PATIENCE_MS)
    done = service.get("runs")["runs"][0]["progress"]["done"]
    assert 0 < done < 60
    run = service.get("runs")["runs"][0]["id"]
    ended = service.get(f"runs/{run}")
    assert ended["progress"]["left"] == 60 - done
    assert "Interrupted: " in ended["log"]
    page.goto(f"{seen.base}/")
    page.get_by_label("Name contains").fill("resnet")
    seen.is_silent()


def test_images_are_looked_at_and_networks_ranked_while_one_watches(visit, job):
    folder = write_images(job[1] / "clothes", 4)
    seen = visit()
    seen.go("/rank")
    page = seen.page
    page.get_by_label("Images", exact=True).fill(str(folder))
    page.get_by_label("Networks", exact=True).fill("fashion")
    page.get_by_text("Limits, classes, columns").click()
    page.get_by_label("Parameters at most").fill("32600")
    page.get_by_role("button", name="Look at the images").click()
    expect(page.get_by_label("The images")).to_contain_text(
        "12 images of 3 classes", timeout=PATIENCE_MS
    )
    page.get_by_role("button", name="Start the race").click()
    expect(page.locator("#connection")).to_have_text("Live", timeout=PATIENCE_MS)
    assert Axe().run(page).response["violations"] == []
    # The page of the race becomes that of the ranking by itself.
    expect(page.locator("#ranking tbody tr")).to_have_count(4, timeout=PATIENCE_MS)
    assert Axe().run(page).response["violations"] == []
    expect(page.locator("nav [aria-current=page]")).to_have_text("Rank")
    assert [text for text in seen.said if "status of 404" not in text] == []
    page.get_by_role("link", name="Rank", exact=True).click()
    expect(page.locator("#runs-table .state")).to_have_text("done")
    seen.is_silent()


def test_a_job_that_is_refused_keeps_its_text(visit):
    seen = visit()
    seen.go("/runs")
    toml = "manifest = 'nosuch'\nscores = ['params']\ndataset = 'fashion'"
    seen.page.get_by_label("Job, as TOML").fill(toml)
    seen.page.get_by_role("button", name="Submit").click()
    expect(seen.page.locator(".problems")).to_contain_text("nosuch")
    expect(seen.page.get_by_label("Job, as TOML")).to_have_value(toml)
    assert [text for text in seen.said if "status of 422" not in text] == []


def test_logging_in(browser, tmp_path):
    path = tmp_path / "r.duckdb"
    fill(path)
    token = "x" * 20
    (tmp_path / "token").write_text(token)
    with Service(path, "--token-file", str(tmp_path / "token"), token=token) as guarded:
        seen = Visit(browser, str(guarded.client.base_url), "phone", "dark")
        seen.go("/scores")
        assert seen.page.url.endswith("/login")
        assert Axe().run(seen.page).response["violations"] == []
        seen.is_silent()
        seen.page.get_by_label("Token").fill("wrong")
        seen.page.get_by_role("button", name="Log in").click()
        expect(seen.page.get_by_role("alert")).to_have_text("This is not the token.")
        seen.page.get_by_label("Token").fill(token)
        seen.page.get_by_role("button", name="Log in").click()
        expect(seen.page.locator("h1")).to_have_text("Leaderboard")
        seen.context.close()
