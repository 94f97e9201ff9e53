"""Render `docs/page-light.png` and `docs/page-dark.png`: the page of a review in a browser.

The page is that of a plan of the tests, in Chromium. Run it again when the look of a page changes,
and look at the result: `python -m scripts.render_page_pictures`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from reconciler.core.model.settings import Redact
from reconciler.core.review import review
from reconciler.render.html import page
from tests.reviews.browser import chromium, open_page
from tests.reviews.plans import everything

DOCS = Path(__file__).parents[1] / "docs"
LINK = "https://example.org/hospital/metadata/blob/main"
SIZE = {"width": 1120, "height": 860}


def main() -> None:
    """Write the top of the page in light colours, and the list in dark ones."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / "page.html"
        shown = review(everything(), Redact.IDENTIFYING, shows_stated=True)
        path.write_text(page(shown, LINK), encoding="utf-8")
        light = open_page(browser, path, size=SIZE).page
        light.screenshot(path=DOCS / "page-light.png")
        dark = open_page(browser, path, scheme="dark", size=SIZE)
        dark.filter(hazard="FORCE")
        dark.page.locator("#rows .item").first.click()
        dark.page.mouse.move(0, 0)
        dark.page.locator("#list").evaluate("list => list.scrollIntoView()")
        dark.page.screenshot(path=DOCS / "page-dark.png")


if __name__ == "__main__":
    main()
