"""The page and the comment of a report: policy, size, and texts that try to be markup."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Basis, Plan
from reconciler.core.model.results import Applied
from reconciler.core.report import ReportView, view_of
from reconciler.render.annotations import MOST as MOST_ANNOTATIONS
from reconciler.render.annotations import report_commands
from reconciler.render.html import report_page
from reconciler.render.html.report import LISTED
from reconciler.render.markdown import MOST
from reconciler.render.report_markdown import MARKER, report_comment
from tests.cli import samples
from tests.reviews.reports import REPORTS, read
from tests.reviews.test_page import Parsed

LINK = "https://github.com/hospital/metadata/blob/5f0c1d2e"


def view(name: str) -> ReportView:
    return view_of(REPORTS[name]())


def fleet(count: int, message: str = "reason {number}") -> ReportView:
    """Image sets that all failed, each for a reason of its own."""
    outcomes = [
        Outcome(
            samples.step(samples.ident(number), "1"), Result.FAILED, message.format(number=number)
        )
        for number in range(count)
    ]
    return view_of(read(Applied(Plan(Basis("", 1), ()), tuple(outcomes))))


# --- the page ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_of_a_report_has_no_script_and_loads_nothing(name: str) -> None:
    found = Parsed(report_page(view(name), LINK))
    tags = [tag for tag, _ in found.tags]
    tag, attributes = found.tags[tags.index("head") + 1]
    style = b64encode(sha256(found.raw["style"].encode()).digest()).decode()
    assert (tag, attributes["content"]) == (
        "meta",
        f"default-src 'none'; script-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; "
        "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    )
    assert not {"script", "link", "base", "iframe", "form", "img", "object"} & set(tags)
    assert not found.values("style") and not found.values("src")
    addresses = [str(one) for one in found.values("href")]
    assert [one for one in addresses if not one.startswith(("#", f"{LINK}/"))] == []


@pytest.mark.parametrize("name", REPORTS)
def test_the_page_of_a_report_has_every_row(name: str) -> None:
    shown = view(name)
    text = Parsed(report_page(shown, LINK)).text
    rows = (*shown.wrong, *shown.unsent)
    expected = [*shown.verdict, *(one.image_set_id for one in shown.ends)]
    expected += [word for row in rows for word in (row.word, f"{row.image_sets:,} image set")]
    assert [one for one in expected if " ".join(one.split()) not in text] == []


def test_an_image_set_of_a_long_report_is_counted_if_it_is_not_listed() -> None:
    text = report_page(fleet(LISTED + 250))
    assert "250 more image sets: " in text
    assert text.count('scope="row"') == LISTED
    assert len(text) < 600_000


def test_a_skip_link_leads_to_the_list() -> None:
    found = Parsed(report_page(view("report-partly")))
    assert "#list" in found.values("href") and "list" in found.values("id")


# --- the comment ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPORTS)
def test_a_comment_begins_with_its_marker_and_its_verdict(name: str) -> None:
    shown = view(name)
    first, second, *_ = report_comment(shown).splitlines()
    assert (first, second) == (MARKER, f"## Apply: {shown.verdict[0]}")


@pytest.mark.parametrize(
    "message", ["reason {number}", "{number} " + "long " * 200, "[ü]" * 30_000]
)
def test_a_report_of_any_size_fits_and_says_what_was_cut(message: str) -> None:
    text = report_comment(fleet(3_000, message), LINK)
    assert len(text) <= MOST
    shown = text.count("\n- **failed** (")
    rows = 1 if "{" not in message else 3_000
    if shown < rows:
        assert f"{rows - shown:,} more under “❌ Failed or not verified”" in text
    assert "0 of 3,000 image sets" in text


def test_texts_of_a_report_add_no_markup_link_or_mention() -> None:
    """As GitHub renders it, with its automatic links."""
    comment = report_comment(view("report-hostile"), LINK)
    page = str(cmarkgfm.github_flavored_markdown_to_html(comment, Options.CMARK_OPT_UNSAFE))
    outside = re.sub(r"<code>.*?</code>", "", page, flags=re.DOTALL)
    assert re.findall(r"<(?:script|details|img|b|table|hr)\b", outside) == ["<hr"]
    assert "@all" not in outside and "evil.example" not in outside and "GH-1" not in outside
    assert set(re.findall(r'href="([^"#]*)', page)) == {f"{LINK}/a.yaml"}


def test_only_the_worst_are_annotations() -> None:
    lines = list(report_commands(fleet(40)))
    assert len(lines) == MOST_ANNOTATIONS
    assert "31 more problems in this apply" in lines[-1]
    assert all(line.startswith("::error title=failed::reason ") for line in lines[:-1])


def test_a_text_of_a_report_is_no_other_command() -> None:
    lines = list(report_commands(view("report-hostile")))
    assert all(re.match(r"::(error|warning) [^:\n]*::[^\n\r]*\Z", line) for line in lines)
