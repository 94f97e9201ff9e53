"""An action that contradicts itself is blocked as a bug; the rest of the plan stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest

from reconciler.core.errors import EXIT_BUG, EXIT_OK, EXIT_PENDING
from reconciler.core.model.change import Block
from reconciler.core.model.plan import Action, Basis, Plan, Status
from reconciler.core.model.settings import Redact
from reconciler.core.plan.bugs import without_bugs
from reconciler.core.plan.checker import contradictions, edited
from reconciler.core.plan.file import dumps, loads
from reconciler.core.review import review
from reconciler.edges import schemas
from reconciler.render.style import Look
from reconciler.render.text import plan_lines
from tests.documents import document
from tests.planning import A, B, C, Stage, with_requests
from tests.printed import plan_json

ASKED = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"


@pytest.fixture
def actions() -> tuple[Action, Action]:
    """Two sound actions."""
    stage = Stage()
    for name in (A, B):
        stage.put(document(image_set_id=name))
    first, second = stage.plan(f"imageSetIds: [{A}, {B}]\n{ASKED}")
    assert first.steps
    assert second.steps
    return first, second


def plan_of(*actions: Action) -> Plan:
    return Plan(Basis("", 1), actions)


def foreign(action: Action) -> Action:
    """The action, showing a change of an image set that it does not have."""
    (change,) = action.changes
    return replace(action, changes=(replace(change, image_set_id=C),))


def test_sound_actions_stay_as_they_are(actions: tuple[Action, Action]) -> None:
    assert without_bugs(actions) == actions
    assert without_bugs(()) == ()


def test_only_the_action_that_contradicts_itself_is_blocked(
    actions: tuple[Action, Action],
) -> None:
    sound, other = actions
    note = Block(B, "an earlier reason")
    flawed = replace(with_requests(other, "CT CHEST", "SECRET"), blocks=(note,))
    kept, blocked = without_bugs((sound, flawed))
    assert kept == sound
    problems = contradictions(flawed)
    bug = blocked.blocks[-1]
    assert blocked == replace(flawed, status=Status.BLOCKED, blocks=(note, bug), steps=())
    assert bug.is_bug
    assert bug.image_set_id == B
    assert bug.message.startswith(f"this is a bug in reconcile: {problems[0]}")
    assert "Please report this message" in bug.hint
    assert not note.is_bug


def test_of_many_contradictions_the_others_are_counted(actions: tuple[Action, Action]) -> None:
    flawed = with_requests(actions[0], "CT CHEST", "SECRET")
    assert len(contradictions(flawed)) == 2
    (blocked,) = without_bugs((flawed,))
    assert blocked.blocks[0].message.endswith(" (and 1 more)")


def test_both_actions_on_one_image_set_are_blocked(actions: tuple[Action, Action]) -> None:
    first, second = actions
    shared = without_bugs((first, first, second))
    assert [one.status for one in shared] == [Status.BLOCKED, Status.BLOCKED, Status.UPDATE]
    assert f"image set {A} is in more than one action" in shared[0].blocks[0].message


def test_the_same_image_set_id_in_another_data_store_is_another_image_set(
    actions: tuple[Action, Action],
) -> None:
    first, _ = actions
    (step,) = first.steps
    other = replace(first, datastore_id="9" * 32, steps=(replace(step, datastore_id="9" * 32),))
    assert without_bugs((first, other)) == (first, other)


# --- saved, and read again ------------------------------------------------------------------------


@pytest.mark.parametrize("twice", [False, True])
def test_a_saved_plan_keeps_the_bug_and_can_be_read(
    actions: tuple[Action, Action], twice: bool
) -> None:
    flawed = actions[0] if twice else foreign(actions[0])
    plan = plan_of(*without_bugs((flawed, *[flawed] * twice, actions[1])))
    data = dumps(plan)
    assert loads(data) == plan
    assert edited(plan) == ""
    assert jsonschema_rs.is_valid(schemas.load("plan"), json.loads(data))


def test_a_forged_bug_lets_nothing_pass(actions: tuple[Action, Action]) -> None:
    (blocked,) = without_bugs((foreign(actions[0]),))
    assert edited(plan_of(blocked)) == ""
    assert edited(plan_of(replace(blocked, steps=actions[0].steps)))
    assert edited(plan_of(replace(blocked, status=Status.CONVERGED)))
    assert edited(plan_of(replace(blocked, status=Status.UPDATE)))
    assert edited(plan_of(replace(blocked, blocks=(Block(A, "any other reason"),))))
    assert edited(plan_of(blocked, actions[0]))


# --- shown ----------------------------------------------------------------------------------------


def test_the_exit_code_of_a_plan(actions: tuple[Action, Action]) -> None:
    sound = review(plan_of(*actions), Redact.ALL)
    assert sound.exit_code(detailed=False) == EXIT_OK
    assert sound.exit_code(detailed=True) == EXIT_PENDING
    flawed = with_requests(actions[0], "CT CHEST", "SECRET")
    shown = review(plan_of(*without_bugs((flawed, actions[1]))), Redact.ALL)
    assert shown.exit_code(detailed=False) == EXIT_BUG
    assert shown.exit_code(detailed=True) == EXIT_BUG


@pytest.mark.parametrize("flaw", [foreign, lambda one: with_requests(one, "CT CHEST", "SECRET")])
def test_a_bug_is_shown_with_its_hint(actions: tuple[Action, Action], flaw: Any) -> None:
    shown = review(plan_of(*without_bugs((flaw(actions[0]), actions[1]))), Redact.ALL)
    text = "\n".join(plan_lines(shown, Look(width=200)))
    assert "this is a bug in reconcile: " in text
    assert "Please report this message; it holds no DICOM value." in text
    assert "1 blocked" in text
    rows: Any = plan_json(shown)["actions"]
    assert [[block.get("bug") for block in row["blocks"]] for row in rows] == [[True], []]
