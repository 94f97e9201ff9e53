"""A real browser that opens pages as files, as a reviewer does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

REPOSITORY = Path(__file__).parents[2]
AXE = REPOSITORY / ".npm-clients" / "node_modules" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def without(reason: str) -> NoReturn:
    """Skip a test that needs a browser, or fail it where BROWSER_TESTS=1 asks for it."""
    if os.environ.get("BROWSER_TESTS") == "1":
        pytest.fail(f"{reason}. BROWSER_TESTS=1 makes the tests in a browser mandatory.")
    pytest.skip(reason)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window, as it is installed on this machine."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        without("Chromium is not installed")
    # Chromium refuses its sandbox to root, who runs CI.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


def axe() -> str:
    """The script of axe-core."""
    if not AXE.exists():
        without("axe-core is not installed: `make .npm-clients` installs it")
    return AXE.read_text(encoding="utf-8")


@dataclass(slots=True)
class Opened:
    """A page in the browser, and what it said and asked for since it was opened."""

    page: Page
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def count(self) -> str:
        """How many image sets and changes the list shows."""
        return self.page.locator("#count").inner_text()

    def filter(self, **values: str) -> str:
        """Set these filters and no other, and return the count."""
        self.page.locator("#clear").click()
        for name, value in values.items():
            control = self.page.locator(f"#{name}")
            if name in ("hazard", "attribute", "level", "status"):
                control.select_option(value)
            else:
                control.fill(value)
        return self.count()

    def press(self, *keys: str) -> str:
        """Press keys in the list, and return the text of the row that is active then."""
        grid = self.page.locator("#grid")
        for key in keys:
            grid.press(key)
        return " ".join(self.page.locator("#rows .active").inner_text().split())


def open_page(
    browser: Browser, path: Path, *, scheme: str = "light", size: dict[str, int] | None = None,
    javascript: bool = True,
) -> Opened:  # fmt: skip
    """Open a page, and wait until its list is there."""
    context = browser.new_context(
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport=size or DESKTOP,  # type: ignore[arg-type]
        java_script_enabled=javascript,
    )
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.said.append(message.text))
    opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.goto(path.as_uri())
    if javascript:
        opened.page.locator("#rows [role=row], .ends tr").first.wait_for()
    return opened
