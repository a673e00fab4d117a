"""Makes the pictures in the README: pages of a report on the fashion zoo, small.

Usage: python benchmarks/screenshots.py STORE [FOLDER]
STORE is what `zoo-eval run quickstart` or `all-scores` has filled; FOLDER is `reports/screenshots`
unless named.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from zoo_eval.report import collect, write_report
from zoo_eval.store import Store

DESKTOP, PHONE = (1280, 800), (390, 800)
# Name, page, screen, scheme.
PICTURES = (
    ("leaderboard", "index.html", DESKTOP, "light"),
    ("scores", "scores.html", DESKTOP, "dark"),
    ("predictions", "predictions.html", DESKTOP, "light"),
    ("score-phone", "scores/knn_accuracy.html", PHONE, "dark"),
)
MOST_BYTES = 120_000
PATIENCE_MS = 300_000


def take(browser: Browser, folder: Path, out: Path) -> None:
    """Photograph each page, and reduce it to few colours."""
    for name, page, (width, height), scheme in PICTURES:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        context.set_default_timeout(PATIENCE_MS)
        tab = context.new_page()
        tab.goto((folder / page).as_uri())
        for canvas in tab.query_selector_all(".canvas"):
            canvas.scroll_into_view_if_needed()
            canvas.wait_for_selector(".main-svg", state="attached")
        tab.evaluate("scrollTo(0, 0)")
        file = out / f"{name}.png"
        tab.screenshot(path=file)
        context.close()
        with Image.open(file) as picture:
            colours = picture.convert("RGB").quantize(64, dither=Image.Dither.NONE)
        colours.save(file, optimize=True)
        size = file.stat().st_size
        assert size < MOST_BYTES, f"{file} has {size} bytes"
        print(f"{file}: {size} bytes")


def main(store: Path, out: Path = Path("reports/screenshots")) -> None:
    """Write a report and photograph it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        write_report(collect(Store(store)), Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        take(browser, Path(folder), out)
        browser.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
