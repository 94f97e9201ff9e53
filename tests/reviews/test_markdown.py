"""What GitHub makes of a comment: its own Markdown (cmark-gfm) renders it here."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.lookalikes import reveal
from reconciler.core.model.plan import Plan
from reconciler.core.model.settings import Redact
from reconciler.core.review import review
from reconciler.render.markdown import MARKER, MOST, code, comment
from tests.reviews.plans import HOSTILE, PLANS

LINK = "https://github.com/hospital/metadata/blob/5f0c1d2e"
# Marks of an isolate: they turn the direction, and are no part of the text.
ISOLATES = str.maketrans("", "", "\u2068\u2069")


def rendered(markdown: str) -> str:
    """As GitHub renders it, before it removes tags that it does not allow."""
    return str(cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE))


def words(text: str) -> str:
    """One blank for any white space: a code span has no line ends."""
    return " ".join(text.split())


@given(st.text(max_size=60) | st.sampled_from(HOSTILE))
def test_a_text_in_code_is_only_itself(text: str) -> None:
    found = re.fullmatch(
        r"<p>before <code>(.*)</code> after</p>\n", rendered(f"before {code(text)} after")
    )
    assert found is not None
    shown = html.unescape(found[1]).translate(ISOLATES)
    expected = reveal(text) if reveal(text).strip() else f"“{reveal(text)}”"
    assert words(shown) == words(expected)


@pytest.mark.parametrize("redact", [Redact.NONE, Redact.IDENTIFYING])
def test_values_add_no_markup_link_or_mention(redact: Redact) -> None:
    page = rendered(comment(review(PLANS["hostile"](), redact), LINK))
    outside = re.sub(r"<code>.*?</code>", "", page, flags=re.DOTALL)
    assert re.findall(r"<(?:script|details|img|b|table)\b", outside) == []
    assert "@all" not in outside and "evil" not in outside and "$" not in outside
    assert set(re.findall(r'href="([^"#]*)', outside)) == {f"{LINK}/a.yaml"}


@pytest.mark.parametrize("name", PLANS)
def test_a_comment_begins_with_its_marker(name: str) -> None:
    assert comment(review(PLANS[name](), Redact.IDENTIFYING)).splitlines()[0] == MARKER


def test_a_plan_of_any_size_fits_and_says_what_was_cut() -> None:
    plan = PLANS["refused"]()
    blocked = next(action for action in plan.actions if action.blocks)
    many = tuple(
        replace(
            blocked,
            blocks=(replace(blocked.blocks[0], message=f"a reason that is the {number}th"),),
        )
        for number in range(2_000)
    )
    text = comment(review(Plan(plan.basis, (*plan.actions, *many)), Redact.IDENTIFYING))
    assert len(text) <= MOST
    shown = text.count("a reason that is the")
    assert f"{2_000 - shown:,} more under “⛔ Not changed”" in text
    # What a reviewer must not miss stands above the cut.
    assert text.index("If this is merged") < text.index("Not changed")
    assert "StudyDescription" in text and "commit `5f0c1d2e3b4a`" in text


def test_right_to_left_text_is_isolated() -> None:
    assert code("דוד") == "`\u2068דוד\u2069`"
    assert code("David") == "`David`"
