"""How the actions of a plan stood at the base of a pull request."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.diff.requests import is_same_request
from reconciler.core.errors import Place
from reconciler.core.model.at_base import AtBase, StatusAtBase
from reconciler.core.model.change import Block
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.observed import Properties
from reconciler.core.model.plan import Action, HazardUse, Member, Plan, Released, Status
from reconciler.core.model.settings import Redact
from reconciler.core.plan.at_base import BaseActions, with_base
from reconciler.core.review import review
from reconciler.core.review.at_base import released_by, stood
from reconciler.core.review.narrow import narrowed
from reconciler.core.survey.needs import (
    Answer,
    Need,
    PropertiesOf,
    Survey,
    Together,
    properties_of,
    together,
)
from reconciler.core.survey.replay import replayed
from tests.documents import DATASTORE_ID
from tests.planning import A, B, Stage
from tests.reviews import plans


def action(status: Status, *names: str, **fields: Any) -> Action:
    members = tuple(Member(name, "1", asked=("Patient/PatientName",)) for name in names or (A,))
    return Action("research", DATASTORE_ID, status, members, **fields)


@pytest.mark.parametrize("status", Status)
def test_every_status_has_one_at_the_base(status: Status) -> None:
    base = BaseActions((action(status),), {A})
    found = with_base(action(Status.BLOCKED), base).at_base
    assert found == AtBase(StatusAtBase(str(status)), asks_changed=False)


@pytest.mark.parametrize(
    ("asked", "unknown", "status"),
    [
        ({A, B}, (), StatusAtBase.BLOCKED),
        ({A}, (), StatusAtBase.UNMANAGED),
        ({A, B}, {B}, StatusAtBase.UNKNOWN),
    ],
)
def test_the_image_set_of_a_study_that_needs_attention_least_counts(
    asked: set[str], unknown: set[str], status: StatusAtBase
) -> None:
    """A refusal that is new for one of them is new."""
    base = BaseActions((action(Status.BLOCKED, A, B),), asked, unknown)
    found = with_base(action(Status.BLOCKED, A, B), base).at_base
    assert found is not None
    assert found.status is status


def test_a_reason_is_new_unless_the_base_has_it_for_this_image_set() -> None:
    use = HazardUse(Hazard.FORCE, A, False, "force: true", Place("a.yaml", 1, 1))
    block = Block(A, "no such image set", path="Patient/PatientName")
    base = BaseActions((action(Status.BLOCKED, blocks=(block,), hazards=(use,)),), {A})
    moved = replace(use, place=Place("b.yaml", 7, 1))
    others = replace(use, hazard=Hazard.CHANGES_UID), replace(use, image_set_id=B)
    other = replace(block, message="locked")
    now = action(Status.BLOCKED, blocks=(block, other), hazards=(moved, *others))
    found = with_base(now, base)
    assert [one.was_at_base for one in found.blocks] == [True, False]
    assert [one.was_at_base for one in found.hazards] == [True, False, False]


def test_consent_that_was_missing_and_is_given_is_no_refusal() -> None:
    use = HazardUse(Hazard.FORCE, A, False, "force: true")
    base = BaseActions((action(Status.BLOCKED, hazards=(use,)),), {A})
    found = with_base(action(Status.UPDATE, hazards=(replace(use, consented=True),)), base)
    assert [one.was_at_base for one in found.hazards] == [False]


ASK = """\
{}imageSetIds: [{}]
present:
  Patient:
    DICOM:
      PatientSex: {}
"""


@pytest.mark.parametrize(
    ("head", "names", "value", "is_same"),
    [
        ("reason: tidied\n", A, "F", True),
        ("", f"{B}, {A}", "F", True),
        (f"allow: [OVERWRITES_DRIFT@1:{B}]\n", f"{B}, {A}", "F", True),
        ("", A, "M", False),
        ("force: true\n", A, "F", False),
        ("allow: [CHANGES_UID]\n", A, "F", False),
        ("allow: [OVERWRITES_DRIFT@1]\n", A, "F", False),
    ],
)
def test_an_ask_is_the_same_wherever_it_stands(
    head: str, names: str, value: str, is_same: bool
) -> None:
    stage = Stage()
    (then,) = stage.asks(ASK.format("", A, "F"))
    now = {ask.image_set_id: ask for ask in stage.asks(ASK.format(head, names, value))}[A]
    assert is_same_request(now, then) is is_same
    assert not is_same_request(now, None)


def test_a_survey_is_replayed_from_answers_that_are_there() -> None:
    seen: dict[Need, Answer] = {
        PropertiesOf(name): Properties(name, "1", "ACTIVE") for name in (A, B)
    }

    def both() -> Survey[tuple[str, ...]]:
        found = yield from together([properties_of(A), properties_of(B)])
        again = yield from properties_of(A)
        assert isinstance(again, Properties)
        return (*(one.image_set_id for one in found if isinstance(one, Properties)), again.state)

    assert replayed(both(), seen.get) == (A, B, "ACTIVE")
    del seen[PropertiesOf(B)]
    assert replayed(both(), seen.get) is None


def test_a_survey_that_is_not_answered_is_closed() -> None:
    ended = []

    def survey() -> Generator[PropertiesOf | Together, Any, None]:
        try:
            yield PropertiesOf(A)
        finally:
            ended.append(A)

    assert replayed(survey(), lambda _: None) is None
    assert ended == [A]


def test_the_verdict_says_what_the_pull_request_causes() -> None:
    overview = review(plans.compared(), Redact.IDENTIFYING).overview
    assert overview.verdict == (
        "1 image set changes (1 call).",
        "It was to change before this pull request, too.",
        "Left as they are: 13 blocked.",
        "7 of these 13 image sets were held back before this pull request, too.",
        "For 1 of them this is unknown: the base asks for what this plan did not read.",
        f"This pull request releases 5 image sets ({20:032x}, {21:032x}, {22:032x} and 2 more): "
        "no manifest asks for them any more, and their values stay.",
    )
    assert [one.at_base for one in overview.refusals] == [
        "5 new, 7 as at the base, 1 unknown at the base"
    ]


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        ([StatusAtBase.CONVERGED], "It was not held back before this pull request."),
        ([StatusAtBase.BUSY], "It was held back before this pull request, too."),
        ([StatusAtBase.UPDATE] * 2, "None of them was held back before this pull request."),
        ([StatusAtBase.DRIFTED] * 2, "All of them were held back before this pull request, too."),
        (
            [StatusAtBase.UNKNOWN],
            "Whether it was so before is unknown: the base asks for what this plan did not read.",
        ),
        ([], ""),
    ],
)
def test_the_sentence_about_what_stays(statuses: list[StatusAtBase], sentence: str) -> None:
    actions = tuple(
        action(Status.BLOCKED, f"{number:032x}", at_base=AtBase(one, asks_changed=False))
        for number, one in enumerate(statuses)
    )
    plan = Plan(plans.one().basis, actions or (action(Status.BLOCKED),))
    verdict = review(plan, Redact.IDENTIFYING).overview.verdict
    assert verdict[2:] == ((sentence,) if sentence else ())


def test_one_released_image_set() -> None:
    (sentence,) = released_by([Released("research", DATASTORE_ID, A)])
    assert sentence == (
        f"This pull request releases 1 image set ({A}): no manifest asks for it any more, and its "
        "values stay."
    )


@pytest.mark.parametrize(
    ("at_base", "words"),
    [
        (None, ""),
        (StatusAtBase.BLOCKED, "(at the base, too)"),
        (StatusAtBase.CONVERGED, "(at the base: converged)"),
        (StatusAtBase.UNMANAGED, "(at the base: not managed)"),
    ],
)
def test_how_an_action_stood(at_base: StatusAtBase | None, words: str) -> None:
    known = AtBase(at_base, asks_changed=True) if at_base else None
    assert stood(Status.BLOCKED, known) == words


def test_a_narrowed_plan_names_what_is_released_of_its_part() -> None:
    whole = plans.compared()
    assert whole.basis.since is not None
    part = narrowed(whole, "research", whole.actions[0].image_set_id)
    assert part.basis.since is not None
    assert (part.basis.since.released, part.basis.since.settings) == ((), True)
    assert narrowed(whole, "research", None).basis.since == whole.basis.since
