"""What people read of the plans in `plans.py` and the reports in `reports.py`, as golden files.

`UPDATE_CASES=1 pytest tests/reviews` writes them: read the difference as a data steward would.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.core.model.settings import Redact
from reconciler.core.report import view_of
from reconciler.core.review import Review, review
from reconciler.render.annotations import report_commands
from reconciler.render.markdown import comment
from reconciler.render.report_markdown import report_comment
from reconciler.render.report_text import report_text, summary_text
from reconciler.render.style import Look
from reconciler.render.text import plan_lines
from tests.reviews.plans import PLANS
from tests.reviews.reports import REPORTS

GOLDEN = Path(__file__).parent / "golden"
UPDATE = bool(os.environ.get("UPDATE_CASES"))
LINK = "https://github.com/hospital/metadata/blob/5f0c1d2e"


def expect(name: str, text: str) -> None:
    """Compare with a golden file; `UPDATE_CASES=1` writes it."""
    path = GOLDEN / name
    if UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def text(shown: Review) -> str:
    return "".join(f"{line}\n" for line in plan_lines(shown, Look(width=80)))


@pytest.mark.parametrize("name", PLANS)
def test_a_terminal_shows_values(name: str) -> None:
    expect(f"{name}.txt", text(review(PLANS[name](), Redact.NONE)))


@pytest.mark.parametrize("name", PLANS)
def test_a_comment_shows_what_the_manifest_states(name: str) -> None:
    shown = review(PLANS[name](), Redact.IDENTIFYING, shows_stated=True)
    expect(f"{name}.md", comment(shown, LINK))


@pytest.mark.parametrize("name", PLANS)
def test_a_comment_of_a_public_repository_shows_places_instead(name: str) -> None:
    expect(f"{name}-place.md", comment(review(PLANS[name](), Redact.IDENTIFYING), LINK))


@pytest.mark.parametrize("name", PLANS)
def test_no_line_is_wider_than_the_terminal(name: str) -> None:
    wide = [
        line for line in text(review(PLANS[name](), Redact.NONE)).splitlines() if len(line) > 80
    ]
    assert [line for line in wide if " " in line.strip()] == []


# --- reports ----------------------------------------------------------------------------------


def printed(name: str) -> list[str]:
    return list(report_text(view_of(REPORTS[name]()), Look(width=80)))


@pytest.mark.parametrize("name", REPORTS)
def test_a_terminal_shows_how_an_apply_ended(name: str) -> None:
    expect(f"{name}.txt", "".join(f"{line}\n" for line in printed(name)))


@pytest.mark.parametrize("name", REPORTS)
def test_a_comment_shows_how_an_apply_ended(name: str) -> None:
    expect(f"{name}.md", report_comment(view_of(REPORTS[name]()), LINK))


def test_annotations_show_what_was_not_applied() -> None:
    lines = [line for name in REPORTS for line in report_commands(view_of(REPORTS[name]()))]
    expect("reports-annotations.txt", "".join(f"{line}\n" for line in lines))


def test_a_summary_has_the_verdict_and_what_was_recorded() -> None:
    lines = summary_text(view_of(REPORTS["report-partly"]()), Look(width=80))
    expect("report-summary.txt", "".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("name", REPORTS)
def test_no_line_of_a_report_is_wider_than_the_terminal(name: str) -> None:
    assert [line for line in printed(name) if len(line) > 80] == []
