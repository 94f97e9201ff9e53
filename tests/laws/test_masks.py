"""No output that may be stored holds a value that the mask hides, whatever the plan holds.

The plans here hold made-up names wherever a field of the model may hold live text.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path, PurePath
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler import render
from reconciler.core.errors import ReconcilerError
from reconciler.core.model.change import Change
from reconciler.core.model.observed import Summary
from reconciler.core.model.plan import Plan
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json, Value
from reconciler.core.report import view_of
from reconciler.core.report.file import to_json
from reconciler.core.review import AppliedReview, Review, review, review_applied, review_search
from reconciler.core.review.mask import masked
from reconciler.core.review.shown import show
from reconciler.core.search import FIELDS
from reconciler.render import json as as_json
from reconciler.render.annotations import report_commands
from reconciler.render.html import page, report_page
from reconciler.render.html.listing import Listing
from reconciler.render.outcomes import outcome_lines, report_lines
from reconciler.render.plan_json import plan_json_lines
from reconciler.render.report_markdown import report_comment
from reconciler.render.report_text import report_text
from reconciler.render.search import chosen_lines, usual_lines
from reconciler.render.step_summary import step_summary
from reconciler.render.style import Look
from reconciler.render.text import plan_lines
from tests.laws.fields import DECISIONS, holds_text, records_with_values, text_fields
from tests.laws.made_up import NUMBER, records, values
from tests.printed import plan_json

SECRET = re.compile("zyxwood|quillon", re.IGNORECASE)
MASKS = [Redact.IDENTIFYING, Redact.ALL]


def listed(shown: Review) -> dict[str, Json]:
    """The list of a page before it is packed."""
    listing = Listing()
    for action in shown.actions:
        listing.add(action)
    return listing.content("")


RENDERERS: dict[str, Callable[[Review], str]] = {
    "plan": lambda shown: "\n".join(plan_lines(shown, Look(width=200))),
    "plan, narrow": lambda shown: "\n".join(plan_lines(shown, Look(width=40, color=True))),
    "plan --json": lambda shown: "\n".join(plan_json_lines(shown)),
    "page": lambda shown: page(shown),
    "list of the page": lambda shown: json.dumps(listed(shown), ensure_ascii=False),
}
REPORTS: dict[str, Callable[[AppliedReview], str]] = {
    "outcomes": lambda shown: "\n".join(
        line for one in shown.outcomes for line in outcome_lines(one, Look())
    ),
    "report": lambda shown: "\n".join(report_lines(shown, Look())),
    "report file": lambda shown: json.dumps(to_json(shown, 1)),
    "step summary": step_summary,
    "shown report": lambda shown: "\n".join(report_text(view_of(shown), Look())),
    "report comment": lambda shown: report_comment(view_of(shown)),
    "report page": lambda shown: report_page(view_of(shown)),
    "report annotations": lambda shown: "\n".join(report_commands(view_of(shown))),
}
# Outputs of an apply that hold no value, whatever the mask.
STORED = [name for name in REPORTS if name != "outcomes"]
# Not shrunk: that takes minutes for a whole plan, and the failure names the output and its text.
thorough = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


def test_every_field_that_may_hold_text_has_a_decision() -> None:
    """A new field needs a decision how it is shown: a row in tests/laws/fields.py."""
    assert text_fields() == set(DECISIONS)


def test_no_renderer_takes_a_record_that_holds_values() -> None:
    """A renderer gets what `core/review` made of it and masked, and asks for no mask itself.

    Only `import --image-set` shows a live document: that is what the command is for.
    """
    records = {*records_with_values(), "Value", "Document"}
    masks = {"Redact", "masked", "show"}
    assert {"Plan", "Change", "Applied", "Outcome", "Summary"} < records
    taken = {
        path.name: imported(path) & (records | masks)
        for path in Path(render.__path__[0]).glob("*.py")
    }
    assert taken.pop("manifest.py") == {"Document"}
    assert {name: found for name, found in taken.items() if found} == {}


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (str, True),
        (str | None, True),
        (Value, True),
        (tuple[tuple[int, Value | None], ...], True),
        (dict[str, int], True),
        (Any, True),
        (int | None, False),
        (Redact, False),
        (Change, False),
        (tuple[ReconcilerError, ...], True),
        (PurePath, True),
    ],
)
def test_which_types_may_hold_text(hint: Any, expected: bool) -> None:
    assert holds_text(hint) is expected


@pytest.mark.parametrize("redact", MASKS)
@thorough
@given(plan=records(Plan))
def test_no_renderer_of_a_plan_shows_what_is_masked(redact: Redact, plan: Plan) -> None:
    shown = review(plan, redact)
    assert [text for text in texts_of(shown) if SECRET.search(str(text))] == []
    assert not SECRET.search(repr(shown))
    for name, print_it in RENDERERS.items():
        text = print_it(shown)
        assert not SECRET.search(text), name
        assert str(NUMBER) not in text or number_allowed(plan, redact), name


@thorough
@given(plan=records(Plan))
def test_where_nothing_is_masked_every_value_is_shown(plan: Plan) -> None:
    shown: Any = plan_json(review(plan, Redact.NONE))
    rows = [row for action in shown["actions"] for row in action["changes"]]
    changes = [change for action in plan.actions for change in action.changes]
    for change, row in zip(changes, rows, strict=True):
        assert row["key"] == change.key
        for value, side in ((change.before, row["before"]), (change.after, row["after"])):
            assert side == ({"value": value.raw} if value else None)


@pytest.mark.parametrize("redact", MASKS)
@thorough
@given(applied=records(Applied))
def test_no_renderer_of_an_apply_shows_a_value(redact: Redact, applied: Applied) -> None:
    shown = review_applied(applied, redact)
    assert [text for text in texts_of(shown) if SECRET.search(str(text))] == []
    assert not SECRET.search(repr(shown))
    for name, print_it in REPORTS.items():
        text = print_it(shown)
        assert not SECRET.search(text), name
        assert str(NUMBER) not in text, name


@thorough
@given(applied=records(Applied))
def test_where_nothing_is_masked_only_a_terminal_shows_what_the_service_says(
    applied: Applied,
) -> None:
    shown = review_applied(applied, Redact.NONE)
    terminal = REPORTS["outcomes"](shown)
    assert all(outcome.said in terminal for outcome in applied.outcomes)
    assert not SECRET.search(repr(shown))
    for name in STORED:
        assert not SECRET.search(REPORTS[name](shown)), name


@pytest.mark.parametrize("redact", MASKS)
@thorough
@given(found=st.lists(records(Summary), max_size=3))
def test_no_list_of_image_sets_shows_what_is_masked(redact: Redact, found: list[Summary]) -> None:
    shown = review_search({"research": found}, redact)
    assert not SECRET.search(repr(shown))
    assert [text for text in texts_of(shown) if SECRET.search(str(text))] == []
    for names in (FIELDS, FIELDS[:2], ["PatientName"]):
        assert not SECRET.search("\n".join(chosen_lines(shown, Look(), names)))
    assert not SECRET.search("\n".join(usual_lines(shown, Look(), names_datastore=True)))
    assert not SECRET.search(json.dumps(as_json.image_sets(shown)))


@given(values, st.sampled_from([None, 0x00100010, 0x00280010]), st.sampled_from(Redact))
def test_a_shown_value_never_prints_itself(raw: Any, tag: int | None, redact: Redact) -> None:
    value = show(raw, tag, redact)
    assert not SECRET.search(f"{value} {value!r}")
    assert value.is_masked is masked(tag, raw, redact)
    assert value.json == ({"masked": value.shape} if value.is_masked else {"value": raw})


def imported(path: Path) -> set[str]:
    """The names that a module imports from other modules."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    froms = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {alias.name for node in froms for alias in node.names}


def number_allowed(plan: Plan, redact: Redact) -> bool:
    """Whether the mask lets the number through anywhere in the plan."""
    return any(
        str(NUMBER) in json.dumps(value.raw) and not masked(change.tag, value.raw, redact)
        for action in plan.actions
        for change in action.changes
        for value in (change.before, change.after)
        if value
    )


def texts_of(value: Any) -> Iterator[object]:
    """All that can be reached from a value: whatever a renderer could print of it."""
    if is_dataclass(value):
        for field in fields(value):
            yield from texts_of(getattr(value, field.name))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_of(inner)
    elif isinstance(value, dict):
        yield from texts_of(list(value.items()))
    else:
        yield value
