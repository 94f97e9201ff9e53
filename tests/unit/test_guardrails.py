"""What one apply changes is counted by data store, and more than a guardrail allows stops it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.errors import Place
from reconciler.core.model.address import STUDY, instance_at, series_at
from reconciler.core.model.change import Change, Op
from reconciler.core.model.guardrail import Amount, Guardrail
from reconciler.core.model.plan import Action, Member, Recorded, Status, Step
from reconciler.core.model.record import Entry
from reconciler.core.model.reviewed import ReviewedChange
from reconciler.core.plan.guardrails import first_of_each, left, stops
from reconciler.core.review.phrases import stopped

STORE = "0" * 32
IDS = [f"{number:032x}" for number in range(24)]
PLACE = Place("reconciler.yaml", 7, 13)
ADDRESSES = {Op.REMOVE_INSTANCE: instance_at("1.2", "1.3"), Op.REMOVE_SERIES: series_at("1.2")}


def moving(
    *names: str,
    op: Op = Op.UPDATE,
    instances: int = 0,
    patient: str = "",
    has_record: bool = False,
    force: bool = False,
) -> Action:
    """An action of one call that raises these image sets."""
    place = ADDRESSES.get(op, STUDY)
    change = Change(names[0], op, place, "", None, "", None, None, instances=instances)
    expected = tuple((name, "sha256:1") for name in names)
    return Action(
        "research",
        STORE,
        Status.UPDATE,
        tuple(Member(name, "1", patient_id=patient, has_record=has_record) for name in names),
        changes=(change,),
        steps=(Step(STORE, names[0], "1", expected, force=force),),
    )


def row(name: str, op: Op = Op.UPDATE, instances: int = 0, *hazards: str) -> ReviewedChange:
    return ReviewedChange(STORE, name, "Study/x", op, "1", hazards, (), name, instances)


def rail(amount: Amount, most: float) -> Guardrail:
    return Guardrail(amount, most, PLACE)


UPDATES = [moving(one) for one in IDS[:3]]
OF_RECORDS = [moving(one, has_record=True) for one in IDS[:6]]


@pytest.mark.parametrize(
    ("limit", "actions", "recorded", "said"),
    [
        (rail(Amount.IMAGE_SETS, 3), UPDATES, 0, ""),
        (rail(Amount.IMAGE_SETS, 2), UPDATES, 0, "3 image sets would change"),
        (rail(Amount.IMAGE_SETS, 2), [moving(*IDS[:3])], 0, "3 image sets would change"),
        (rail(Amount.PERCENT, 25), OF_RECORDS, 24, ""),
        (rail(Amount.PERCENT, 24.9), OF_RECORDS, 24, "6 of 24 recorded image sets would change"),
        (rail(Amount.PERCENT, 1), OF_RECORDS, 19, ""),
        (rail(Amount.PERCENT, 1), OF_RECORDS, 20, "6 of 20 recorded image sets would change"),
        (rail(Amount.PERCENT, 0), UPDATES, 24, ""),
        (rail(Amount.REMOVED_INSTANCES, 1), [moving(IDS[0], op=Op.REMOVE_INSTANCE)], 0, ""),
        (
            rail(Amount.REMOVED_INSTANCES, 1),
            [moving(one, op=Op.REMOVE_INSTANCE) for one in IDS[:2]],
            0,
            "2 instances would be removed",
        ),
        (
            rail(Amount.REMOVED_INSTANCES, 11),
            [moving(IDS[0], op=Op.REMOVE_SERIES, instances=12)],
            0,
            "12 instances would be removed",
        ),
        (
            rail(Amount.REMOVED_INSTANCES, 12),
            [moving(IDS[0], op=Op.REMOVE_SERIES, instances=12)],
            0,
            "",
        ),
        (
            rail(Amount.REMOVED_SERIES, 0),
            [moving(IDS[0], op=Op.REMOVE_SERIES, instances=12)],
            0,
            "1 series would be removed",
        ),
        (rail(Amount.REMOVED_SERIES, 0), [moving(IDS[0], op=Op.REMOVE_INSTANCE)], 0, ""),
        (rail(Amount.PATIENTS, 1), [moving(*IDS[:3], patient="P1")], 0, ""),
        (
            rail(Amount.PATIENTS, 1),
            [moving(IDS[0], patient="P1"), moving(IDS[1], patient="P2")],
            0,
            "image sets of 2 patients would change",
        ),
        # Image sets of which no PatientID is known are of as many patients.
        (
            rail(Amount.PATIENTS, 2),
            [moving(IDS[0], patient="P1"), moving(IDS[1]), moving(IDS[2])],
            0,
            "image sets of 3 patients would change",
        ),
        (rail(Amount.FORCED_STEPS, 0), UPDATES, 0, ""),
        (
            rail(Amount.FORCED_STEPS, 0),
            [moving(IDS[0], force=True)],
            0,
            "1 call would be sent with force",
        ),
    ],
)
def test_a_guardrail(limit: Guardrail, actions: list[Action], recorded: int, said: str) -> None:
    found = stops(actions, [Recorded("research", STORE, recorded)], [limit])
    assert list(map(stopped, found)) == (
        [f"data store research: {said}, more than `{limit.stated}` allows ({PLACE})"]
        if said
        else []
    )


def test_each_data_store_is_counted_for_itself() -> None:
    other = replace(moving(IDS[3]), datastore="archive", datastore_id="1" * 32)
    found = stops([*UPDATES, other], [], [rail(Amount.IMAGE_SETS, 2)])
    assert [(one.datastore, one.found) for one in found] == [("research", 3)]
    found = stops([*UPDATES, other], [], [rail(Amount.IMAGE_SETS, 0)])
    assert [(one.datastore, one.found) for one in found] == [("archive", 1), ("research", 3)]


def test_what_sends_nothing_counts_nothing() -> None:
    held = replace(moving(IDS[0], op=Op.REMOVE_SERIES), status=Status.BLOCKED, steps=())
    rails = [rail(one, 0) for one in Amount]
    assert stops([held], [Recorded("research", STORE, 24)], rails) == ()


def test_the_limit_takes_the_first_actions_of_each_data_store() -> None:
    other = replace(moving(IDS[3]), datastore="archive", datastore_id="1" * 32)
    assert first_of_each([other, *UPDATES], 2) == (other, *UPDATES[:2])
    assert first_of_each(UPDATES, None) == tuple(UPDATES)


def test_what_a_saved_plan_has_made_already_is_not_left() -> None:
    def entry(name: str, version: str) -> Entry:
        return Entry(STORE, name, version, "", None, (), "")

    entries = {IDS[0]: entry(IDS[0], "2"), IDS[1]: entry(IDS[1], "1")}
    assert left(UPDATES, {"research": entries}) == tuple(UPDATES[1:])


def test_what_earlier_runs_of_the_same_reviews_made_counts_too() -> None:
    earlier = [
        row(IDS[3], Op.UPDATE, 0, "FORCE"),
        row(IDS[4], Op.REMOVE_SERIES, 12),
        row(IDS[5], Op.REMOVE_INSTANCE),
        row(IDS[0]),
    ]
    found = {
        one.guardrail.amount: one.found
        for one in stops(UPDATES, [], [rail(one, 0) for one in Amount], earlier)
    }
    assert found == {
        Amount.IMAGE_SETS: 6,
        Amount.REMOVED_INSTANCES: 13,
        Amount.REMOVED_SERIES: 1,
        Amount.PATIENTS: 3,  # of what is left: a review states no patient
        Amount.FORCED_STEPS: 1,
    }
