"""study_series: the number of series that search states for a study, beside its members."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model.plan import Action, Basis, Plan, Status
from reconciler.core.plan.file import from_json, to_json
from reconciler.core.stale_plan import Today, stale
from tests.documents import document, instance, series
from tests.planning import A, B, C, Stage

STATED = "SearchImageSets states"


def one(image_set_id: str, *uids: str) -> dict[str, Any]:
    blocks = [series(uid, [instance(f"{uid}.1"), instance(f"{uid}.2")]) for uid in uids]
    return document(*blocks, image_set_id=image_set_id)


def study(*names: str) -> Stage:
    """A study with these primary image sets of one series each."""
    stage = Stage()
    for name in names:
        stage.put(one(name, f"1.2.{ord(name[0])}"), primary=True)
    return stage


def asks(image_set_id: str = A, more: str = "") -> str:
    present = "present: {Study: {DICOM: {StudyDescription: x}}}"
    return f"imageSetId: {image_set_id}\n{present}\n{more}\n"


def said(action: Action) -> list[str]:
    return [note.message for note in action.notes if STATED in note.message]


def study_wide(action: Action) -> list[tuple[bool, str]]:
    return [(use.consented, use.consent) for use in action.hazards if use.hazard == "STUDY_WIDE"]


def test_a_whole_study_has_no_note() -> None:
    action = study(A, B).action(asks(A), asks(B))
    assert (said(action), len(action.steps), action.unlisted_series) == ([], 1, 0)


def test_fewer_members_than_series_are_a_note_and_need_consent() -> None:
    stage = study(A, B, C)
    stage.service.search_misses = {B, C}
    action = stage.action(asks())
    assert said(action) == [
        "SearchImageSets states 3 series for this study. The primary image sets that it lists hold "
        "1. If another primary image set of the study is not listed yet, it changes too."
    ]
    assert (action.status, action.steps) == (Status.BLOCKED, ())
    assert study_wide(action) == [(False, "allow: [STUDY_WIDE]")]
    allowed = stage.action(asks(more="allow: [STUDY_WIDE]"))
    assert (len(allowed.steps), said(allowed), allowed.unlisted_series) == (1, said(action), 2)


def test_series_that_are_not_primary_are_a_note() -> None:
    stage = study(A)
    stage.put(one(B, "1.2.7"))
    action = stage.action(asks())
    assert said(action) == [
        "SearchImageSets states 2 series for this study. The primary image sets that it lists hold "
        "1. The others are in image sets that are not primary. They do not change."
    ]
    assert (len(action.steps), study_wide(action)) == (1, [(True, "")])


def test_an_image_set_may_hold_several_series() -> None:
    stage = Stage()
    stage.put(one(A, "1.2.7", "1.2.8"), primary=True)
    assert said(stage.action(asks())) == []


def test_the_same_series_in_an_image_set_that_is_not_primary_is_no_other() -> None:
    stage = study(A, C)
    stage.put(one(B, "1.2.97"))
    stage.service.search_misses = {C}
    action = stage.action(asks())
    assert ("not listed yet" in said(action)[0], action.unlisted_series) == (True, 1)


@pytest.mark.parametrize("stated", ["", "many"])
def test_a_number_that_search_does_not_state_says_nothing(stated: str) -> None:
    stage = study(A, B)
    rows = [
        replace(row, tags=(("DICOMNumberOfStudyRelatedSeries", stated),) if stated else ())
        for row in stage.service.search()
    ]
    stage.service.search = lambda filters=(): iter(rows)  # type: ignore[method-assign]
    assert said(stage.action(asks(A), asks(B))) == []


def test_a_saved_plan_keeps_that_it_needs_consent() -> None:
    stage = study(A, B)
    stage.service.search_misses = {B}
    action = stage.action(asks(more="allow: [STUDY_WIDE]"))
    raw: Any = to_json(Plan(Basis("", 1), (action,)))
    assert raw["actions"][0]["unlistedSeries"] == 1
    plan = from_json(raw)
    withdrawn = {("research", ask.image_set_id): ask for ask in stage.asks(asks())}
    (reason,) = stale(plan, Today(stage.settings, withdrawn)).values()
    assert reason == "consent withdrawn: STUDY_WIDE needs consent: allow: [STUDY_WIDE]"
