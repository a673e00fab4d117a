"""The service over 1,556 models × 60 scores in a real browser."""

import pytest
from playwright.sync_api import expect

from benchmarks._million import fill
from tests.service.browsing import MARKS, Visit
from tests.service.service import Service
from zoo_eval.manifest import Manifest
from zoo_eval.store import Store

pytestmark = [*MARKS, pytest.mark.slow]
MODEL = "resnet50.a1_in1k"
PAGES = [
    *("/", "/?sort=score7&page=3&columns=params,score1,score7", "/?q=vit&imagenet_top1=>=0.8"),
    *("/scores", "/scores/score1", "/scores/score1?truth=real_top1", f"/models/{MODEL}"),
    f"/compare?model={MODEL}&model=vit_base_patch16_224.augreg_in21k&score=score1&score=score3",
    *("/predictions", "/runs", "/about"),
]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "r.duckdb"
    fill(Store(path), Manifest.load("timm-imagenet").lines, 60)
    with Service(path) as service:
        yield service


@pytest.mark.parametrize(("screen", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_every_page_is_silent_fits_and_has_no_serious_fault(browser, service, screen, scheme):
    seen = Visit(browser, str(service.client.base_url), screen, scheme)
    for address in PAGES:
        seen.is_sound(address)
    seen.context.close()


def test_sorting_filtering_and_turning_pages(browser, service):
    seen = Visit(browser, str(service.client.base_url))
    seen.go("/?columns=params,score1")
    page = seen.page
    header = page.locator("#leaderboard thead th", has_text="params")
    header.get_by_role("link").click()
    expect(header).to_have_attribute("aria-sort", "descending")
    largest = seen.column("leaderboard", 1)
    page.get_by_role("link", name="2", exact=True).click()
    expect(page.locator("#leaderboard tbody tr").first).not_to_contain_text(largest[0])
    assert set(largest).isdisjoint(seen.column("leaderboard", 1))
    page.get_by_label("Name contains").fill("resnet50.")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#leaderboard tbody tr").first).to_contain_text("resnet50.")
    assert all("resnet50." in name for name in seen.column("leaderboard", 1))
    seen.is_silent()
    seen.context.close()
