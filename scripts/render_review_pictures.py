"""Render the pictures of docs/review.md: the page of a review in a browser, and its comment.

Both are of a plan of the tests. The comment is shown as a host shows Markdown, in our own colours.
Run it again when the look of either changes, and look at the result:
`python -m scripts.render_review_pictures`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import cmarkgfm
from playwright.sync_api import ViewportSize

from reconciler.core.model.settings import Redact
from reconciler.core.review import review
from reconciler.render.html import page
from reconciler.render.markdown import comment
from tests.reviews.browser import chromium, open_page
from tests.reviews.plans import everything

DOCS = Path(__file__).parents[1] / "docs"
LINK = "https://example.org/hospital/metadata/blob/main"
SIZE = {"width": 1120, "height": 860}
COMMENT_SIZE: ViewportSize = {"width": 860, "height": 900}
FRAME = """<!doctype html><meta charset="utf-8"><style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 24px; color: #1f2328 }}
h2, h3 {{ line-height: 1.25 }} h2 {{ border-bottom: 1px solid #d1d9e0; padding-bottom: .3em }}
code {{ background: #eff1f3; border-radius: 5px; padding: .15em .35em; font-size: 85% }}
a {{ color: #0757ba }} sub {{ font-size: 80% }} hr {{ border: 0; border-top: 1px solid #d1d9e0 }}
</style>{body}"""


def main() -> None:
    """Write the top of the page in light colours, the list in dark ones, and the comment."""
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
        path.write_text(FRAME.format(body=as_html(comment(shown, LINK))), encoding="utf-8")
        comment_page = browser.new_page(viewport=COMMENT_SIZE)
        comment_page.goto(path.as_uri())
        comment_page.screenshot(path=DOCS / "comment.png", full_page=True)


def as_html(markdown: str) -> str:
    """What a host makes of a comment."""
    return str(cmarkgfm.github_flavored_markdown_to_html(markdown))


if __name__ == "__main__":
    main()
