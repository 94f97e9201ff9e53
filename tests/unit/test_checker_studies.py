"""checker: every way in which an action breaks the rules for the primary image sets of a study.

Each action is first what `plan` makes, which has no contradiction, and is then forged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, HazardUse, Step
from reconciler.core.model.value import Value
from reconciler.core.plan.checker import contradictions, contradictions_of_all
from tests.documents import document, instance, series
from tests.planning import A, B, C, Stage

D = "d" * 32
DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CT}}}\n"
COMMENTED = "Series: {'*': {Instances: {'*': {DICOM: {ImageComments: X}}}}}"
OWN = f"present: {{Study: {{DICOM: {{StudyDescription: CT}}, {COMMENTED}}}}}\n"
REMOVED = "absent: {Study: {DICOM: [StudyTime]}}\n"
STUDY_UID = "1.2.840.99.1"


def stage_of(*names: str, study: str = STUDY_UID, primary: bool = True) -> Stage:
    stage = Stage()
    for name in names:
        uid = f"1.2.{ord(name[0])}"
        content = document(
            series(uid, [instance(f"{uid}.1")]),
            image_set_id=name,
            study={"StudyInstanceUID": study},
        )
        stage.put(content, primary=primary)
    return stage


def action_of(body: str, *names: str, **more: Any) -> Action:
    found = stage_of(*names, **more).action(*[f"imageSetId: {name}\n{body}" for name in names])
    assert found.steps, found.blocks
    assert contradictions(found) == ()
    return found


def on(action: Action, **fields: Any) -> Action:
    """The action with other fields of its first step."""
    first, *others = action.steps
    return replace(action, steps=(replace(first, **fields), *others))


def shown_for(action: Action, *names: str) -> Action:
    """The action without the Patient and Study changes of all other image sets."""
    changes = (one for one in action.changes if one.image_set_id in names or one.address.series)
    return replace(action, changes=tuple(changes))


def after(action: Action, image_set_id: str, text: str) -> Action:
    """The action with another new value for one image set."""
    changes = (
        replace(one, after=Value(text)) if one.image_set_id == image_set_id else one
        for one in action.changes
    )
    return replace(action, changes=tuple(changes))


def two_values() -> Action:
    """Two study-wide calls, each of which sends the value that another image set shows."""
    action = action_of(DESCRIBED, A, B)
    (step,) = action.steps
    second = replace(step, pin="2", updatable=str(step.updatable).replace("CT", "MR"))
    split = HazardUse(Hazard.SPLIT_UPDATE, A, True)
    action = replace(action, steps=(step, second), hazards=(*action.hazards, split))
    return after(action, B, "MR")


def primary(*, is_primary: bool | None) -> Action:
    action = action_of(DESCRIBED, A)
    return replace(action, members=(replace(action.members[0], is_primary=is_primary),))


def own_call(is_primary: bool | None) -> Action:
    """A call to an image set that is not primary, as if it were primary."""
    action = action_of(DESCRIBED, A, primary=False)
    return replace(action, members=(replace(action.members[0], is_primary=is_primary),))


def named_without_a_change() -> Action:
    """The study-wide call names an image set that has the value already."""
    return shown_for(action_of(DESCRIBED, A, B), B)


def removal_of_another_value() -> Action:
    action = action_of(REMOVED, A, B)
    first, second = action.changes
    return replace(action, changes=(first, replace(second, key="00080030")))


FORGED: list[tuple[Callable[[], Action], str]] = [
    (two_values, "get different values of Study/StudyDescription"),
    (lambda: primary(is_primary=False), "not all image sets of the action are primary"),
    (lambda: primary(is_primary=None), "not all image sets of the action are primary"),
    (lambda: own_call(True), "of a primary image set without its study"),
    (lambda: own_call(None), "of a primary image set without its study"),
    (lambda: on(action_of(DESCRIBED, A, B), study_instance_uid=""), "does not state its study"),
    (named_without_a_change, "changes nothing of it"),
    (lambda: shown_for(action_of(REMOVED, A, B), A), "is not shown for every image set"),
    (removal_of_another_value, "lose different values of Study/StudyTime"),
]


@pytest.mark.parametrize(("forged", "sentence"), FORGED)
def test_what_breaks_a_rule_is_found(forged: Callable[[], Action], sentence: str) -> None:
    found = contradictions(forged())
    assert any(sentence in one for one in found), found


def test_own_calls_and_study_wide_calls_do_not_mix_levels() -> None:
    action = action_of(OWN, A, B)
    wide, own, other = action.steps

    def with_steps(*steps: Step) -> tuple[str, ...]:
        return contradictions(replace(action, steps=steps))

    assert with_steps(wide, replace(own, updatable=wide.updatable), other)
    assert with_steps(replace(wide, updatable=own.updatable), own, other)
    assert with_steps(wide, replace(own, pin="1"), other)
    assert with_steps(replace(wide, expected=wide.expected[:1]), own, other)


def test_a_study_is_in_one_action() -> None:
    first = action_of(DESCRIBED, A, B)
    second = action_of(DESCRIBED, C, D)
    assert any("the same study" in one for one in contradictions_of_all((first, second))[1])
    other = action_of(DESCRIBED, C, D, study=f"{STUDY_UID}.7")
    assert contradictions_of_all((first, other)) == ((), ())


def test_reverts_that_go_together_have_one_result() -> None:
    stage = stage_of(A, B)
    for name in (A, B):
        stage.service.foreign(name, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="X"))
    action = stage.action(*[f"imageSetId: {name}\nrevertToVersionId: '1'\n" for name in (A, B)])
    assert contradictions(action) == ()
    assert contradictions(after(action, B, "CHEST ")) == ()  # padding is no difference
    (found,) = contradictions(after(action, B, "HEAD"))
    assert found.endswith("reverted to different Study/StudyDescription")
