"""What a plan lists, and what it only counts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.errors import ReconcilerError
from reconciler.core.model.at_base import AtBase, StatusAtBase
from reconciler.core.model.change import Block, Note
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Basis, HazardUse, Member, Plan, Status, Unchanged
from reconciler.core.model.settings import Redact
from reconciler.core.plan.file import dumps, loads
from reconciler.core.plan.unchanged import counted
from reconciler.core.review import review
from reconciler.core.review.narrow import narrowed
from tests.documents import DATASTORE_ID
from tests.planning import A, B, C

RECORDED = Member(A, "4", asked=("Patient/PatientName",), recorded=True)
SIBLING = Member(B, "7", recorded=True)


def action(*members: Member, **fields: Any) -> Action:
    known: dict[str, Any] = {
        "datastore": "research",
        "datastore_id": DATASTORE_ID,
        "status": Status.CONVERGED,
        "members": members or (RECORDED,),
    }
    return Action(**known | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"siblings": (SIBLING,)},
        {"at_base": AtBase(StatusAtBase.CONVERGED, asks_changed=False)},
    ],
)
def test_counted(fields: dict[str, Any]) -> None:
    assert counted([action(**fields)]) == ((), (Unchanged("research", DATASTORE_ID, 1),))


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Status.UPDATE},
        {"status": Status.BUSY},
        {"members": (replace(RECORDED, recorded=False),)},
        {"members": (RECORDED, replace(SIBLING, recorded=False))},
        {"siblings": (replace(SIBLING, recorded=False),)},
        {"notes": (Note(A, "needs no consent"),)},
        {"released": ("Patient/PatientID",)},
        {"blocks": (Block(A, "contradiction"),)},
        {"hazards": (HazardUse(Hazard.FORCE, A, consented=True),)},
        {"at_base": AtBase(StatusAtBase.UPDATE, asks_changed=False)},
        {"at_base": AtBase(StatusAtBase.UNMANAGED, asks_changed=True)},
        {"at_base": AtBase(StatusAtBase.CONVERGED, asks_changed=True)},
    ],
)
def test_listed(fields: dict[str, Any]) -> None:
    one = action(**fields)
    assert counted([one]) == ((one,), ())


def test_what_an_attempt_names_is_listed() -> None:
    one = action(siblings=(SIBLING,))
    assert counted([one], {(DATASTORE_ID, A)}) == ((one,), ())
    assert counted([one], {("2" * 32, A)})[0] == ()


def test_each_data_store_has_its_count_and_each_image_set_counts() -> None:
    study = action(RECORDED, replace(RECORDED, image_set_id=C), SIBLING)
    other = action(datastore="archive", datastore_id="2" * 32)
    assert counted([study, other])[1] == (
        Unchanged("archive", "2" * 32, 1),
        Unchanged("research", DATASTORE_ID, 2),
    )


def plan(*actions: Action) -> Plan:
    listed, unchanged = counted(actions)
    return Plan(Basis("", 1), listed, unchanged=unchanged)


def test_a_count_is_part_of_every_total() -> None:
    shown = review(plan(action(), action(replace(RECORDED, image_set_id=C))), Redact.NONE)
    verdict = ("Nothing changes.", "2 image sets already hold what is asked.")
    assert dict(shown.totals.actions)[Status.CONVERGED] == 2
    assert shown.summary == "Plan: nothing to do, 2 converged."
    assert shown.overview.verdict == verdict
    assert not shown.is_pending


def test_a_saved_plan_keeps_its_count() -> None:
    one = plan(action())
    assert loads(dumps(one)) == one
    assert one.datastores == {("research", DATASTORE_ID)}


def test_a_plan_is_narrowed_to_what_it_lists() -> None:
    blocked = action(replace(SIBLING, image_set_id=C), status=Status.BLOCKED)
    one = plan(action(), blocked)
    assert narrowed(one, "research", None).unchanged == one.unchanged
    assert narrowed(one, None, C).unchanged == ()
    with pytest.raises(ReconcilerError, match="the plan has no image set") as raised:
        narrowed(one, None, A)
    assert "A plan counts the image sets" in raised.value.hint
