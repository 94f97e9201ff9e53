"""The page in a real browser: its list, its policy, its accessibility, paper and phones.

`make test` skips these tests on a machine without Chromium. BROWSER_TESTS=1 makes them mandatory.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error

from benchmarks.review import made
from reconciler.core.model.settings import Redact
from reconciler.core.report import view_of
from reconciler.core.review import review
from reconciler.render.html import page, report_page
from tests.reviews.browser import PHONE, Opened, axe, chromium, open_page
from tests.reviews.plans import HOSTILE, PLANS, everything
from tests.reviews.reports import REPORTS

FLEET, ALL = "fleet", "everything"
LINK = "https://github.com/hospital/metadata/blob/5f0c1d2e"
ODD = f"{77:032x}"
# What a value may try if it ever became markup.
INJECTED = """
<script>window.injected = 1</script>
<img src="{address}/x.png" onerror="window.injected = 1">
<p id="styled" style="position: fixed">x</p>
<iframe srcdoc="<script>parent.injected = 1</script>"></iframe>
<link rel="stylesheet" href="{address}/x.css">
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@cache
def text_of(name: str, redact: Redact = Redact.IDENTIFYING) -> str:
    plan = made(10_000) if name == FLEET else everything() if name == ALL else PLANS[name]()
    return page(review(plan, redact, shows_stated=True), LINK)


def saved(files: Path, name: str, redact: Redact = Redact.IDENTIFYING) -> Path:
    path = files / f"{name}-{redact}.html"
    path.write_text(text_of(name, redact), encoding="utf-8")
    return path


class Pages:
    """A page for each plan, which several tests use. It is opened when it is first asked for."""

    def __init__(self, browser: Browser, files: Path) -> None:
        self._browser = browser
        self._files = files
        self._opened: dict[str, Opened] = {}

    def __getitem__(self, name: str) -> Opened:
        if name not in self._opened:
            self._opened[name] = open_page(self._browser, saved(self._files, name))
        return self._opened[name]


@pytest.fixture(scope="module")
def pages(browser: Browser, files: Path) -> Pages:
    return Pages(browser, files)


# --- the list ---------------------------------------------------------------------------------


def test_the_list_shows_every_image_set(pages: Pages) -> None:
    assert pages["many"].filter() == "400 image sets, 400 changes"
    assert pages["refused"].filter() == "6 image sets, 5 changes"


@pytest.mark.parametrize(
    ("name", "filters", "count"),
    [
        ("many", {"find": "B: CS"}, "1 of 400 image sets, 1 change"),
        ("many", {"find": ODD[-8:]}, "1 of 400 image sets, 1 change"),
        ("many", {"study": "12"}, "5 of 400 image sets, 5 changes"),
        ("many", {"study": "study 12"}, "5 of 400 image sets, 5 changes"),
        ("many", {"level": "Patient", "manifest": "a.yaml"}, "400 image sets, 400 changes"),
        ("many", {"manifest": "b.yaml"}, "No image set passes these filters."),
        ("removals", {"hazard": "REMOVES_INSTANCE"}, "1 of 3 image sets, 1 change"),
        ("removals", {"attribute": "AccessionNumber"}, "3 image sets, 3 changes"),
        ("removals", {"level": "Instance"}, "1 of 3 image sets, 1 change"),
        ("removals", {"find": "[2].PatientID"}, "3 image sets, 3 changes"),
        ("refused", {"status": "blocked"}, "5 of 6 image sets, 4 changes"),
        ("refused", {"find": "no such image set"}, "1 of 6 image sets, 0 changes"),
        ("drift", {"status": "drifted, held back"}, "1 of 2 image sets, 1 change"),
    ],
)
def test_filters_and_search(pages: Pages, name: str, filters: dict[str, str], count: str) -> None:
    assert pages[name].filter(**filters) == count


def test_an_entry_of_the_overview_leads_to_its_image_sets(pages: Pages) -> None:
    opened = pages["many"]
    opened.page.locator("#odd .jump").click()
    assert opened.count() == "1 of 400 image sets, 1 change"
    assert ODD in opened.page.locator("#rows .set").inner_text()
    opened.page.locator("#dangers .jump").click()
    assert opened.count() == "400 image sets, 400 changes"
    refused = pages["refused"]
    refused.page.locator("#refusals .jump").last.click()
    assert refused.count() == "1 of 6 image sets, 0 changes"


def test_image_sets_fold_and_changes_open(pages: Pages) -> None:
    opened = pages["removals"]
    opened.filter()
    rows = opened.page.locator("#rows [role=row]")
    before = rows.count()
    opened.page.locator("#rows .item", has_text="OtherPatientIDsSequence").first.click()
    detail = opened.page.locator("#rows .detail")
    assert "OtherPatientIDsSequence[2].PatientID" in detail.inner_text()
    assert detail.locator("a").first.get_attribute("href") == f"{LINK}/a.yaml#L10"
    opened.page.locator("#rows .set").first.click()
    assert rows.count() < before
    opened.page.locator("#fold").click()
    assert (rows.count(), opened.page.locator("#rows .item").count()) == (3, 0)
    opened.page.locator("#fold").click()
    assert rows.count() == before + 1


def test_the_list_is_used_with_the_keyboard(pages: Pages) -> None:
    opened = pages["many"]
    opened.filter()
    assert opened.press("Home").startswith(f"▾{1:032x} study 1")
    assert opened.press("ArrowDown").startswith("PatientSex Patient <A: CS>")
    assert "CHANGES_PATIENT_IDENTITY: the patient's identity" in opened.press("Enter", "ArrowDown")
    assert opened.press("ArrowLeft").startswith("PatientSex")
    assert opened.press("ArrowLeft", "ArrowLeft").startswith("▾")
    assert opened.press("ArrowLeft").startswith("▸")
    assert opened.press("ArrowRight").startswith("▾")
    opened.press("End")
    active = opened.page.locator("#rows .active")
    grid = opened.page.locator("#grid")
    assert active.get_attribute("aria-rowindex") == grid.get_attribute("aria-rowcount") == "801"
    assert active.get_attribute("id") == grid.get_attribute("aria-activedescendant")


def test_ten_thousand_image_sets_are_a_window_of_rows(pages: Pages) -> None:
    opened = pages[FLEET]
    assert opened.filter() == "10,000 image sets, 40,000 changes"
    assert opened.page.locator("#grid").get_attribute("aria-rowcount") == "50001"
    assert opened.press("End").startswith("SeriesDescription")
    rows = opened.page.locator("#rows [role=row]")
    assert rows.count() < 120
    assert rows.last.get_attribute("aria-rowindex") == "50001"
    assert opened.filter(find="STUDY7-000777") == "1 of 10,000 image sets, 1 change"
    assert opened.filter(hazard="FORCE") == "10,000 image sets, 10,000 changes"


def test_live_values_are_masked(browser: Browser, files: Path) -> None:
    """In what the list shows, and in what the page holds."""
    opened = open_page(browser, saved(files, "one"))
    opened.page.locator("#rows .item").first.click()
    shown = opened.page.locator("body").inner_text()
    assert "<PN text(9-16)>" in shown and "Doe^Pieter" in shown
    assert "Doe^Peter" not in opened.page.content()
    assert "Doe^Peter" not in shown
    clear = open_page(browser, saved(files, "one", Redact.NONE))
    assert '"Doe^Peter"' in clear.page.locator("#rows").inner_text()


# --- the policy -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["many", "removals", "refused", "hostile"])
def test_a_page_asks_for_nothing_and_complains_about_nothing(pages: Pages, name: str) -> None:
    opened = pages[name]
    opened.page.locator("#rows .item").first.click()
    assert opened.said == []
    assert [url for url in opened.requests if not url.startswith("file:")] == []
    assert opened.page.locator("[style]").count() == 0


def test_hostile_values_are_shown_as_text(browser: Browser, files: Path) -> None:
    opened = open_page(browser, saved(files, "hostile", Redact.NONE))
    shown = opened.page.locator("#rows").inner_text()
    assert all(json.dumps(text)[1:12] in shown for text in HOSTILE[:5])
    assert "\\u202eevil\\u202c" in shown
    assert opened.page.locator("#rows b, #rows script, #rows img, #rows details").count() == 0
    assert opened.said == []


def test_injected_markup_does_not_run(browser: Browser, files: Path) -> None:
    path = files / "injected.html"
    before, after = text_of("many").split("<main>")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        markup = INJECTED.format(address=f"http://127.0.0.1:{server.getsockname()[1]}")
        path.write_text(f"{before}<main>{markup}{after}", encoding="utf-8")
        opened = open_page(browser, path)
        assert opened.page.evaluate("() => window.injected") is None
        position = "() => getComputedStyle(document.getElementById('styled')).position"
        assert opened.page.evaluate(position) == "static"
        with pytest.raises(BlockingIOError):
            server.accept()  # The browser has sent nothing.
    assert len([line for line in opened.said if "Content Security Policy" in line]) >= 5
    assert opened.count() == "400 image sets, 400 changes"


@pytest.mark.parametrize(
    "code",
    [
        "document.body.innerHTML = '<b>x</b>'",
        "document.body.insertAdjacentHTML('beforeend', '<b>x</b>')",
        "document.createElement('script').text = 'window.injected = 1'",
        "document.body.setAttribute('onclick', 'window.injected = 1')",
        "trustedTypes.createPolicy('default', { createHTML: (text) => text })",
    ],
)
def test_no_script_makes_markup_from_text(pages: Pages, code: str) -> None:
    with pytest.raises(Error, match=r"TrustedTypePolicy|requires 'Trusted"):
        pages["drift"].page.evaluate(f"() => {{ {code} }}")
    pages["drift"].said.clear()


# --- accessibility ----------------------------------------------------------------------------


def test_axe_finds_nothing(browser: Browser, files: Path) -> None:
    opened = open_page(browser, saved(files, ALL))
    opened.filter(hazard="FORCE")
    opened.page.locator("#rows .item").first.click()
    opened.page.locator(".legend summary").click()
    opened.page.evaluate(axe())
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        found: dict[str, Any] = opened.page.evaluate("() => axe.run()")
        assert [
            (scheme, one["id"], node["target"], node["failureSummary"])
            for one in found["violations"]
            for node in one["nodes"]
        ] == []
        assert len(found["passes"]) > 20


@pytest.mark.parametrize(("name", "redact"), [(ALL, Redact.IDENTIFYING), ("hostile", Redact.NONE)])
def test_nothing_is_wider_than_a_phone_or_a_page_at_200_percent(
    browser: Browser, files: Path, name: str, redact: Redact
) -> None:
    opened = open_page(browser, saved(files, name, redact))
    opened.page.locator("#rows .item").first.click()
    for width in (1280 // 2, PHONE["width"], 320):
        opened.page.set_viewport_size({"width": width, "height": 600})
        wide = opened.page.evaluate("() => document.documentElement.scrollWidth")
        assert (width, wide) == (width, width)


def test_paper_has_the_overview_and_not_the_list(pages: Pages) -> None:
    opened = pages["removals"]
    opened.page.emulate_media(media="print")
    for section in ("h1", ".tiles", "#dangers", "#changes", "#where", ".print-only"):
        assert opened.page.locator(section).is_visible(), section
    for tool in ("#tools", "#grid", "#changes .jump"):
        assert not opened.page.locator(tool).first.is_visible(), tool
    assert opened.page.pdf().startswith(b"%PDF")
    opened.page.emulate_media(media="screen")


def test_without_javascript_only_the_list_is_missing(browser: Browser, files: Path) -> None:
    opened = open_page(browser, saved(files, "many"), javascript=False)
    for section in ("h1", "#dangers", "#odd", "#changes", "#where", "noscript"):
        assert opened.page.locator(section).is_visible(), section
    assert not opened.page.locator("#grid").is_visible()


# --- the page of a report -----------------------------------------------------------------------


@pytest.fixture
def report(files: Path) -> Path:
    path = files / "report.html"
    path.write_text(report_page(view_of(REPORTS["report-partly"]()), LINK), encoding="utf-8")
    return path


def test_the_page_of_a_report_fits_and_loads_nothing(browser: Browser, report: Path) -> None:
    opened = open_page(browser, report)
    for width in (1280, 1280 // 2, PHONE["width"], 320):
        opened.page.set_viewport_size({"width": width, "height": 600})
        wide = opened.page.evaluate("() => document.documentElement.scrollWidth")
        assert (width, wide) == (width, width)
    assert (opened.said, opened.requests) == ([], [report.as_uri()])


def test_axe_finds_nothing_in_the_page_of_a_report(browser: Browser, report: Path) -> None:
    opened = open_page(browser, report)
    opened.page.evaluate(axe())
    for scheme in ("light", "dark"):
        opened.page.emulate_media(color_scheme=scheme)
        found: dict[str, Any] = opened.page.evaluate("() => axe.run()")
        assert [(scheme, one["id"]) for one in found["violations"]] == []
