"""Reverts of primary image sets that change the Patient or Study level of their study."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Status
from reconciler.core.model.record import Unverified
from reconciler.core.model.settings import Permission
from reconciler.core.plan.checker import contradictions
from tests.documents import document, instance, series
from tests.planning import A, B, C, Stage, messages

ALLOWED = "allow: [CHANGES_PATIENT_IDENTITY]\n"


def one(image_set_id: str) -> dict[str, Any]:
    uid = f"1.2.{ord(image_set_id[0])}"
    return document(series(uid, [instance(f"{uid}.1")]), image_set_id=image_set_id)


def study(*names: str, changed: str = "", **rules: Any) -> Stage:
    """Primary image sets, of which those in `changed` have another patient in version 2."""
    stage = Stage(**rules)
    for name in names:
        stage.put(one(name), primary=True)
    for name in names:
        if name[0] in (changed or "abc"):
            stage.service.foreign(name, lambda d: d["Patient"]["DICOM"].update(PatientName="X"))
    return stage


def revert(image_set_id: str, version: str = "1", more: str = ALLOWED) -> str:
    return f"imageSetId: {image_set_id}\nrevertToVersionId: '{version}'\n{more}"


def members(action: Action) -> list[str]:
    return [member.image_set_id for member in action.members]


def test_siblings_that_are_reverted_together_are_one_action() -> None:
    stage = study(A, B)
    manifests = [revert(A), revert(B)]
    action = stage.action(*manifests)
    assert (members(action), action.blocks) == ([A, B], ())
    assert [(s.image_set_id, s.pin, s.revert_to, s.study_wide) for s in action.steps] == [
        (A, "2", "1", False),
        (B, "2", "1", False),
    ]
    stage.run(action)
    assert {found.status for found in stage.plan(*manifests)} == {Status.CONVERGED}


def test_one_of_two_is_not_reverted_alone() -> None:
    action = study(A, B).action(revert(A))
    assert (action.status, action.steps) == (Status.BLOCKED, ())
    (message,) = messages(action)
    assert message == (
        "this revert would make Patient or Study attributes differ from those of "
        f"image set {B}, in the same study"
    )


def test_two_of_three_are_not_reverted_alone() -> None:
    action = study(A, B, C).action(revert(A), revert(B))
    assert (action.steps, {C in message for message in messages(action)}) == ((), {True})


def test_a_member_that_has_the_values_already_needs_no_revert() -> None:
    stage = study(A, B, C, changed="ab")
    action = stage.action(revert(A), revert(B))
    assert (members(action), len(action.steps)) == ([A, B], 2)


def test_the_next_run_finishes_what_was_interrupted_between_the_calls() -> None:
    stage = study(A, B)
    manifests = [revert(A), revert(B)]
    (first, _) = stage.action(*manifests).steps
    stage.service.update(first)
    stage.record(*manifests)
    del stage.entries[B]
    done, left = stage.plan(*manifests)
    assert (members(done), done.status, done.blocks) == ([A], Status.CONVERGED, ())
    assert ([step.image_set_id for step in left.steps], left.blocks) == ([B], ())
    stage.run(left)
    assert {found.status for found in stage.plan(*manifests)} == {Status.CONVERGED}


def test_different_values_after_the_reverts_are_refused() -> None:
    stage = study(A, B)
    stage.service.foreign(B, lambda d: d["Patient"]["DICOM"].update(PatientName="Y"))
    action = stage.action(revert(A, "1"), revert(B, "2"))
    assert (action.status, action.steps, len(action.blocks)) == (Status.BLOCKED, (), 2)
    assert len(stage.action(revert(A, "1"), revert(B, "1")).steps) == 2


def test_without_consent_to_one_none_is_sent() -> None:
    action = study(A, B).action(revert(A), revert(B, more=""))
    assert (action.status, action.steps) == (Status.BLOCKED, ())
    lacking = [use.image_set_id for use in action.hazards if not use.consented]
    assert lacking == [B]


def test_drift_of_one_holds_all() -> None:
    stage = study(A, B)
    manifests = [revert(A), revert(B)]
    stage.run(stage.action(*manifests))
    stage.record(*manifests)
    for name in (A, B):
        stage.service.foreign(name, lambda d: d["Patient"]["DICOM"].update(PatientName="Z"))
    stage.entries.pop(A)
    action = stage.action(*manifests)
    assert (members(action), action.status, action.steps) == ([A, B], Status.DRIFTED, ())


def test_an_unverified_version_of_one_holds_all_until_it_is_accepted() -> None:
    stage = study(A, B)
    manifests = [revert(A), revert(B)]
    stage.record(*manifests)
    unverified = (Unverified("2", ("Patient/PatientName",)),)
    stage.entries[B] = replace(stage.entries[B], ask_digest="", unverified=unverified)
    stage.entries.pop(A)
    held = stage.action(*manifests)
    assert (held.status, held.steps) == (Status.BLOCKED, ())
    (use,) = (use for use in held.hazards if use.hazard is Hazard.ACCEPTS_UNVERIFIED)
    assert (use.image_set_id, use.consented) == (B, False)
    accepted = "allow: [CHANGES_PATIENT_IDENTITY, ACCEPTS_UNVERIFIED@2]\n"
    assert len(stage.action(revert(A), revert(B, more=accepted)).steps) == 2


def test_a_revert_that_is_impossible_holds_all() -> None:
    first, second = study(A, B).plan(revert(A), revert(B, "9"))
    assert (first.steps, second.steps) == ((), ())
    assert (B in messages(first)[0], "version 9" in messages(second)[0]) == (True, True)


@pytest.mark.parametrize("name", [A, C])
def test_a_locked_member_makes_the_reverts_wait(name: str) -> None:
    stage = study(A, B, C)
    stage.service.lock(name, 100.0)
    actions = stage.plan(revert(A), revert(B))
    assert {action.status for action in actions} == {Status.BUSY}
    assert all(action.steps == () for action in actions)


@pytest.mark.parametrize("missed", [{B}, {C}, {B, C}])
def test_what_search_misses_may_be_left_unlike(missed: set[str]) -> None:
    stage = study(A, B, C, changed="ab")
    stage.service.search_misses = missed
    action = stage.action(revert(A), revert(B))
    assert (action.status, action.steps) == (Status.BLOCKED, ())
    assert all("revertOnPrimary: allow" in block.hint for block in action.blocks)


def test_a_document_that_cannot_be_compared_holds_the_reverts() -> None:
    stage = study(A, B, C, changed="ab")
    rows = list(stage.service.search())
    stage.service.foreign(C, lambda d: d["Patient"].update(DICOM=None))
    stage.service.search = lambda filters=(): iter(rows)  # type: ignore[method-assign]
    action = stage.action(revert(A), revert(B))
    assert any("cannot be compared" in message for message in messages(action))


def test_below_the_study_level_each_revert_stands_alone() -> None:
    stage = Stage()
    for name in (A, B):
        stage.put(one(name), primary=True)

    def commented(raw: dict[str, Any]) -> None:
        (block,) = raw["Study"]["Series"].values()
        (found,) = block["Instances"].values()
        found["DICOM"]["ImageComments"] = "X"

    stage.service.foreign(A, commented)
    stage.service.foreign(B, commented)
    actions = stage.plan(revert(A, more=""), revert(B, more=""))
    assert [(members(action), len(action.steps)) for action in actions] == [([A], 1), ([B], 1)]


def test_the_rule_lets_each_be_reverted_alone() -> None:
    stage = study(A, B, revert_on_primary=Permission.ALLOW)
    actions = stage.plan(revert(A), revert(B))
    assert [(members(action), len(action.steps)) for action in actions] == [([A], 1), ([B], 1)]


def test_the_checker_knows_the_form_of_reverts() -> None:
    action = study(A, B).action(revert(A), revert(B))
    assert contradictions(action) == ()
    first, second = action.steps
    forged = [
        replace(action, steps=(first,)),
        replace(action, steps=(second, first)),
        replace(action, steps=(first, replace(first, pin="3"))),
        replace(action, steps=(first, replace(second, force=True))),
        replace(action, steps=(first, replace(second, revert_to=None, updatable="{}"))),
    ]
    assert all(contradictions(one) for one in forged)
