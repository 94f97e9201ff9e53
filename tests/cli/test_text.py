"""Plans made by hand, as the terminal shows them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.escape import escape
from reconciler.core.model.plan import Plan, Status, Unread
from reconciler.core.model.settings import Redact
from reconciler.core.plan.file import dumps, loads, to_json
from reconciler.core.review import review
from reconciler.core.review.phrases import duration, not_read
from reconciler.core.review.totals import summary, totals_of
from reconciler.render.plan_json import plan_json_lines
from reconciler.render.style import Look
from reconciler.render.text import next_step, plan_lines
from reconciler.render.values import cut, cut_pair, short_uids, width
from tests.cli import samples
from tests.cli.conftest import expect
from tests.printed import plan_json

LOOK = Look(width=100)
PLANS: dict[str, Plan] = {
    "everyday": samples.everyday(),
    "drift": samples.drift(consented=False),
    "drift-consented": samples.drift(consented=True),
    "study": samples.study(),
    "fleet": samples.fleet(),
    "hostile": samples.hostile(),
    "lookalikes": samples.lookalikes(),
    "nothing": samples.plan(),
}


def lines(plan: Plan, redact: Redact, look: Look = LOOK) -> str:
    calls = {"GetImageSet": 3, "GetImageSetMetadata": 3}
    reviewed = review(plan, redact)
    shown = [
        *plan_lines(reviewed, look, calls),
        *next_step(reviewed.totals.calls, ["my plan.json"], look, saved=True),
    ]
    return "\n".join(shown) + "\n"


@pytest.mark.parametrize("name", PLANS)
def test_plan(name: str) -> None:
    expect(f"plan-{name}.txt", lines(PLANS[name], Redact.NONE))


def test_masked() -> None:
    text = lines(samples.everyday(), Redact.IDENTIFYING)
    expect("plan-everyday-masked.txt", text)
    assert "Doe" not in text
    assert "Smith" not in text


def test_values_that_look_the_same_are_named_also_if_they_are_masked() -> None:
    text = lines(samples.lookalikes(), Redact.IDENTIFYING)
    expect("plan-lookalikes-masked.txt", text)
    assert text.isascii() or "\\u" not in text
    shown = json.dumps(plan_json(review(samples.lookalikes(), Redact.IDENTIFYING)))
    assert shown.count("differsIn") == text.count("looks the same") == 5


def test_redact_all_has_no_exception_for_values_that_look_the_same() -> None:
    assert "looks the same" not in lines(samples.lookalikes(), Redact.ALL)
    assert "differsIn" not in json.dumps(plan_json(review(samples.lookalikes(), Redact.ALL)))


def test_each_value_from_right_to_left_is_isolated() -> None:
    text = lines(samples.lookalikes(), Redact.NONE)
    assert '\u2068"שרון 12"\u2069 → \u2068"قباني"\u2069' in text
    assert text.count("\u2068") == text.count("\u2069") == 3
    for narrow in (20, 30, 40, 50, 60):
        for line in lines(samples.lookalikes(), Redact.NONE, Look(width=narrow)).splitlines():
            assert line.count("\u2068") == line.count("\u2069")
            assert re.findall("[\u0590-\u08ff]", re.sub("\u2068.*?\u2069", "", line)) == []


def test_narrow() -> None:
    expect("plan-everyday-narrow.txt", lines(samples.everyday(), Redact.NONE, Look(width=60)))


def test_colors_only_add_escapes() -> None:
    colored = lines(samples.everyday(), Redact.NONE, Look(color=True, width=100))
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == lines(samples.everyday(), Redact.NONE)
    assert "\x1b[31m" in colored


@pytest.mark.parametrize(
    ("redact", "look"),
    [
        (Redact.NONE, LOOK),
        (Redact.IDENTIFYING, LOOK),
        (Redact.NONE, Look(color=True, width=40)),
    ],
)
def test_live_values_cannot_draw(redact: Redact, look: Look) -> None:
    text = re.sub(r"\x1b\[[0-9;]*m", "", lines(samples.hostile(), redact, look))
    assert all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_no_line_of_changes_is_wider_than_the_terminal(columns: int) -> None:
    text = lines(samples.hostile(), Redact.NONE, Look(width=columns))
    assert all(width(line) <= columns for line in text.splitlines())


def test_masked_json_has_no_identifying_value() -> None:
    masked = plan_json(review(samples.everyday(), Redact.IDENTIFYING))
    text = json.dumps(masked)
    assert isinstance(masked, dict)
    assert masked["masked"] is True
    assert "Doe" not in text
    assert "SchemaVersion" not in text
    assert '"1.06"' not in text  # SoftwareVersions is free text


def test_masked_json_does_not_tell_the_study_of_a_call() -> None:
    plan = samples.everyday()
    index, action = next((n, one) for n, one in enumerate(plan.actions) if one.steps)
    step = replace(action.steps[0], study_wide=True, study_instance_uid="1.2.840.4567")
    actions = list(plan.actions)
    actions[index] = replace(action, steps=(step,))
    text = json.dumps(plan_json(review(replace(plan, actions=tuple(actions)), Redact.IDENTIFYING)))
    assert "studyInstanceUID" in text
    assert "1.2.840.4567" not in text


@pytest.mark.parametrize("redact", [Redact.NONE, Redact.IDENTIFYING])
def test_json_has_no_digest_that_is_not_keyed(redact: Redact) -> None:
    """Of documents, of asks, of the whole file: each gives values back, shown or not."""
    shown = plan_json(review(samples.study(), redact))
    text = json.dumps(shown)
    assert "hmac" not in text
    assert "sha256:" in json.dumps(to_json(samples.study()))
    for absent in ("sha256:", "askDigest", "expected"):
        assert absent not in text
    assert isinstance(shown, dict)
    assert "digest" not in shown


def test_json_with_values_is_the_saved_plan_without_its_digests() -> None:
    whole: Any = to_json(samples.study())
    shown: Any = plan_json(review(samples.study(), Redact.NONE))
    del whole["digest"]
    for action in whole["actions"]:
        for member in action["members"]:
            del member["askDigest"]
            for name in ("released", "renamed", "refuted"):  # what the record is made of
                member.pop(name, None)
        for step in action["steps"]:
            step["raises"] = list(step.pop("expected"))
    assert shown == {**whole, "masked": False}


def test_each_action_is_a_line_of_json() -> None:
    plan = samples.everyday()
    first, *lines, last = plan_json_lines(review(plan, Redact.NONE))
    assert (first, last) == ("{", "}")
    start = lines.index('  "actions": [') + 1
    rows = [json.loads(line.removesuffix(",")) for line in lines[start : start + len(plan.actions)]]
    assert rows == plan_json(review(plan, Redact.NONE))["actions"]
    none = "\n".join(plan_json_lines(review(replace(plan, actions=()), Redact.NONE)))
    assert json.loads(none)["actions"] == []


def test_what_is_pending() -> None:
    converged = samples.plan(samples.action(Status.CONVERGED, 1))
    for plan, pending, code in (
        (samples.everyday(), True, 2),
        (samples.drift(consented=False), True, 2),
        (converged, False, 0),
    ):
        reviewed = review(plan, Redact.IDENTIFYING)
        assert (reviewed.is_pending, reviewed.exit_code(detailed=True)) == (pending, code)


def test_summary_counts_what_moves() -> None:
    assert summary(totals_of(samples.study())) == "Plan: 3 image sets to update (2 calls)."


def test_text_and_json_count_the_same_image_sets_of_a_study() -> None:
    """Three image sets that are updated together, then the same three blocked and converged."""
    (runs,) = samples.study().actions
    named = tuple(replace(one, asked=("x",), recorded=False) for one in runs.members[:2])
    idle = replace(runs, status=Status.BLOCKED, steps=())
    done = replace(idle, status=Status.CONVERGED, members=(*named, runs.members[2]))
    plan = samples.plan(runs, idle, done)
    totals = totals_of(plan)
    counted = {"converged": 2, "update": 3, "drifted": 0, "busy": 0, "blocked": 2}
    assert {str(status): count for status, count in totals.actions} == counted
    whole: dict[str, Any] = to_json(plan)
    assert whole["totals"]["actions"] == counted
    text = "Plan: 3 image sets to update (2 calls), 2 blocked, 2 converged."
    assert summary(totals) == text
    assert totals.unrecorded == 2


ARCHIVE = Unread("archive", "e" * 32, 30, "the AWS credentials have expired", "Sign in again.")


def test_what_is_not_read_is_in_the_summary_and_an_error() -> None:
    read = samples.plan(samples.action(Status.CONVERGED, 1))
    reviewed = review(replace(read, unread=(ARCHIVE,)), Redact.IDENTIFYING)
    assert reviewed.summary == "Plan: 1 converged, 30 not read."
    assert [reviewed.exit_code(detailed=detailed) for detailed in (False, True)] == [1, 1]
    empty = samples.plan()
    assert summary(totals_of(replace(empty, unread=(ARCHIVE,)))) == "Plan: 30 not read."
    assert not_read(ARCHIVE) == (
        "data store archive: 30 image sets not read: the AWS credentials have expired"
    )


def test_what_is_not_read_is_in_the_plan_file_and_in_its_json() -> None:
    plan = replace(samples.everyday(), unread=(ARCHIVE,))
    assert loads(dumps(plan)) == plan
    whole, shown = to_json(plan), plan_json(review(plan, Redact.NONE))
    assert shown["unread"] == whole["unread"]
    assert shown["totals"] == whole["totals"]
    assert "unread" not in to_json(samples.everyday())


def test_escape_leaves_every_script_alone() -> None:
    assert escape("Äneas 山田 قباني שרון 김희중") == "Äneas 山田 قباني שרון 김희중"
    assert escape("a\u200bb\u2028c\x7f\U000e0001") == r"a\u200bb\u2028c\u007f\U000e0001"


def test_cut_keeps_both_ends_and_pairs_keep_the_difference() -> None:
    assert cut("abcdefghijklmnopqrstuvwxyz", 10) == "abcdef…xyz"
    assert width(cut("山田太郎山田太郎山田太郎", 10)) <= 10
    before, after = cut_pair("x" * 90 + "left", "x" * 90 + "right", 20)
    assert before.endswith("left")
    assert after.endswith("right")
    assert max(len(before), len(after)) <= 20
    assert cut_pair("same", "same but longer", 20) == ("same", "same but longer")


def test_short_uids_stay_different() -> None:
    one, other = "1.2.3.44444444444444444444", "1.9.3.44444444444444444444"
    assert short_uids({one, other}) == {one: one, other: other}
    assert short_uids({one}) == {one: "…44444444444444"}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (5400, "1 h 30 min")]
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
