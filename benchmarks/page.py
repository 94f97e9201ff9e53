"""How soon a reader can use the page of a large plan, beside one that has every row as HTML.

python -m benchmarks.page [IMAGE_SETS] [--runs N]

Measured in Chromium, each in a new context, from the address to the first row of the list, with the
file on disk. Then the list is filtered by a hazard and searched for a text: each from the choice to
the new count. The runs of the two pages alternate: other programs slow both down alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from benchmarks.review import made
from reconciler.core.model.plan import Plan
from reconciler.core.model.settings import Redact
from reconciler.core.review import review
from reconciler.render.html import page
from tests.reviews.browser import DESKTOP, chromium


def static(plan: Plan) -> str:
    """A page with a table of all changes: what a template without a script makes."""
    shown = review(plan, Redact.IDENTIFYING, shows_stated=True)
    rows = (
        f"<tr><td>{action.members[0].image_set_id}<td>{change.address.level.title}"
        f"<td>{escape(change.name)}<td>{escape(str(change.before))}<td>{escape(str(change.after))}"
        for action in shown.actions
        for change in action.changes
    )
    return f"<!DOCTYPE html><title>Plan</title><table id=rows>{''.join(rows)}</table>"


def seconds(act: Callable[[], object]) -> float:
    """How long an action of the reader takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def opened(browser: Browser, file: Path, row: str) -> tuple[float, Page]:
    """Open a page in a new context, and wait until a row can be seen."""
    found = browser.new_context(viewport=DESKTOP).new_page()  # type: ignore[arg-type]

    def act() -> None:
        found.goto(file.as_uri(), wait_until="commit")
        found.locator(row).first.wait_for()
        # A script answers only when the page has nothing else to do.
        found.evaluate("() => new Promise(requestAnimationFrame)")

    return seconds(act), found


def filtered(found: Page, count: int) -> tuple[float, float]:
    """Filter by a hazard, then search for the new value of one image set."""
    changed = "text => document.getElementById('count').textContent.startsWith(text)"

    def by_hazard() -> None:
        found.locator("#hazard").select_option("FORCE")
        found.wait_for_function(changed, arg=f"{count:,} image sets, {count:,} changes")

    def by_text() -> None:
        found.locator("#find").fill(f"STUDY7-{count // 2:06}")
        found.wait_for_function(changed, arg=f"1 of {count:,}")

    hazard = seconds(by_hazard)
    found.locator("#clear").click()
    return hazard, seconds(by_text)


def main() -> None:
    """Open both pages several times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("image_sets", nargs="?", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    plan = made(chosen.image_sets)
    texts = {
        "ours": page(review(plan, Redact.IDENTIFYING, shows_stated=True)),
        "every row": static(plan),
    }
    times: dict[str, list[float]] = {"ours": [], "every row": [], "hazard": [], "search": []}
    with TemporaryDirectory() as folder, chromium() as browser:
        for name, text in texts.items():
            Path(folder, f"{name}.html").write_text(text, encoding="utf-8")
        for _ in range(chosen.runs):
            for name, row in (("ours", "#rows [role=row]"), ("every row", "#rows tr")):
                took, found = opened(browser, Path(folder, f"{name}.html"), row)
                times[name].append(took)
                if name == "ours":
                    hazard, search = filtered(found, chosen.image_sets)
                    times["hazard"].append(hazard)
                    times["search"].append(search)
                found.context.close()
    print(f"{chosen.image_sets:,} image sets             min s  median s       bytes")
    for name, took_each in times.items():
        size = f"{len(texts[name].encode()):,}" if name in texts else ""
        label = f"open: {name}" if name in texts else f"filter: {name}"
        print(f"{label:28} {min(took_each):6.3f} {median(took_each):9.3f} {size:>11}")
    ratio = median(times["every row"]) / median(times["ours"])
    print(f"every row takes {ratio:.1f} times as long")


if __name__ == "__main__":
    main()
