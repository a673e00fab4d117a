"""A browser at the service, and what every page must be in it."""

import shutil
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENS = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
PATIENCE_MS = 300_000
MARKS = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's package chromium"),
    # playwright leaves its loop's sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@contextmanager
def chromium():
    """A browser without a window that asks for nothing by itself."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


class Visit:
    """A browser at the service, with what pages said and asked for."""

    def __init__(self, browser, base, screen="desktop", scheme="light"):
        self.width = SCREENS[screen]["width"]
        self.base = base.rstrip("/")
        self.context = browser.new_context(viewport=SCREENS[screen], color_scheme=scheme)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def go(self, address):
        self.page.goto(f"{self.base}{address}")
        expect(self.page.locator("[data-pending]")).to_have_count(0, timeout=PATIENCE_MS)
        for canvas in self.page.query_selector_all(".canvas"):
            canvas.scroll_into_view_if_needed()
            canvas.wait_for_selector(".main-svg", state="attached")

    def is_silent(self):
        # The browser itself reports an answer of 404 as an error of loading.
        said = [text for text in self.said if "status of 404" not in text]
        assert said == []
        assert all(url.startswith((f"{self.base}/", "data:,")) for url in self.asked)

    def column(self, table, place):
        cells = self.page.query_selector_all(f"#{table} tbody tr > :nth-child({place})")
        return [cell.inner_text() for cell in cells]

    def is_sound(self, address):
        """A page is silent, as wide as the screen, and usable by all."""
        self.go(address)
        self.is_silent()
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width, address
        found = Axe().run(self.page).response["violations"]
        assert [(f["id"], [n["html"] for n in f["nodes"]]) for f in found] == [], address
