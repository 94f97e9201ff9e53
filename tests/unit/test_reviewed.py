"""Whether a plan stays within what was reviewed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import reconciler
from reconciler.core.errors import ReviewFileError
from reconciler.core.model.key import Key, Use
from reconciler.core.model.plan import Basis, Plan
from reconciler.core.model.reviewed import Origin, Reviewed
from reconciler.core.reviewed import (
    Evidence,
    dumps,
    judge,
    loads,
    moved_pins,
    reviewed_changes,
)
from tests.documents import KEY, document
from tests.planning import A, B, Stage

NOW = 1_800_000_000
OTHER_KEY = Key(b"\1" * 32)
NAMES = """\
imageSetIds: [{ids}]
allow: [CHANGES_PATIENT_IDENTITY{more}]
present:
  Patient:
    DICOM:
      {attribute}: {value}
"""


def plan(value: str = "Doe^Pieter", *, attribute: str = "PatientName", more: str = "") -> Plan:
    stage = Stage()
    ids = (A, B) if attribute == "PatientID" else (A,)
    for number, name in enumerate(ids, 1):
        stage.put(document(image_set_id=name, patient={"PatientID": f"P{number}"}))
    text = NAMES.format(ids=", ".join(ids), more=more, attribute=attribute, value=value)
    return Plan(Basis("", 2), stage.plan(text))


def review(of: Plan, *, expires_at: int = NOW + 1, **pins: str) -> Reviewed:
    changes = tuple(replace(one, pin=pins.get("pin", one.pin)) for one in reviewed_changes(of, KEY))
    origin = Origin("a" * 40, "b" * 40, "c" * 40)
    return Reviewed(origin, "sha256:" + "0" * 64, NOW, expires_at, "f" * 32, changes)


def at(pin: str, of: Plan) -> Plan:
    """The same plan of image sets at another version."""
    actions = tuple(
        replace(one, members=tuple(replace(member, pin=pin) for member in one.members))
        for one in of.actions
    )
    return replace(of, actions=actions)


def reasons(of: Plan, *reviews: Reviewed, known: Evidence | None = None) -> list[str]:
    found = judge(of, reviews, KEY, known or Evidence(float(NOW)))
    return [one.reason for one in found.unreviewed]


def test_what_a_review_holds_is_reviewed() -> None:
    found = judge(plan(), [review(plan())], KEY, Evidence(float(NOW)))
    assert (len(found.reviewed), found.unreviewed, found.left_over) == (1, (), ())


def test_another_value_is_not_and_the_reviewed_one_is_left_over() -> None:
    found = judge(plan("Roe^Jan"), [review(plan())], KEY, Evidence(float(NOW)))
    assert [one.reason for one in found.unreviewed] == [
        "no review holds the change of Patient/PatientName"
    ]
    assert [one.path for one in found.left_over] == ["Patient/PatientName"]


def test_no_review_at_all() -> None:
    assert reasons(plan()) == ["no review holds the change of Patient/PatientName"]


def test_an_expired_review_says_when() -> None:
    assert reasons(plan(), review(plan(), expires_at=NOW)) == ["its review expired on 2027-01-15"]
    assert reasons(plan(), review(plan(), expires_at=NOW), review(plan())) == []


def test_a_later_version_needs_a_look() -> None:
    later, reviews = at("3", plan()), [review(plan())]
    assert reasons(later, *reviews) == [
        "Patient/PatientName was reviewed at version 1, and version 3 is not known to have left "
        "it as it was"
    ]
    moved = moved_pins(later, reviews, KEY)
    assert [(one.reviewed_pin, one.pin) for one in moved] == [("1", "3")]
    assert reasons(later, *reviews, known=Evidence(float(NOW), frozenset(moved))) == []


def test_an_earlier_version_is_never_what_was_reviewed() -> None:
    assert moved_pins(plan(), [review(plan(), pin="4")], KEY) == {}
    assert "reviewed at version 4" in reasons(plan(), review(plan(), pin="4"))[0]


def test_a_hazard_that_the_review_does_not_show() -> None:
    bare = review(plan())
    bare = replace(bare, changes=tuple(replace(one, hazards=()) for one in bare.changes))
    assert reasons(plan(), bare) == [
        "no review holds the hazard CHANGES_PATIENT_IDENTITY of Patient/PatientName"
    ]


@pytest.mark.parametrize(("reviewed", "is_held"), [(3, True), (2, True), (1, False)])
def test_patients_that_are_merged_count(reviewed: int, is_held: bool) -> None:
    merging = plan("MPI-1", attribute="PatientID", more=", MERGES_PATIENTS@2")
    held = review(merging)
    assert any("MERGES_PATIENTS@2" in one.hazards for one in held.changes)
    changes = tuple(
        replace(
            one,
            hazards=tuple(
                f"MERGES_PATIENTS@{reviewed}" if name.startswith("MERGES") else name
                for name in one.hazards
            ),
        )
        for one in held.changes
    )
    found = reasons(merging, replace(held, changes=changes))
    assert (found == []) is is_held


def test_what_no_merged_commit_touched_is_no_concern_of_this_apply() -> None:
    (one,) = judge(plan(), [], KEY, Evidence(float(NOW), touched=frozenset())).unreviewed
    assert not one.is_asked
    (one,) = judge(plan(), [], KEY, Evidence(float(NOW), touched=frozenset({"a.yaml"}))).unreviewed
    assert one.is_asked


def test_a_change_that_a_review_has_is_asked_for_by_its_merge() -> None:
    """It may have waited for longer than one apply, such as one that a newer merge superseded."""
    known = Evidence(float(NOW), touched=frozenset())
    (one,) = judge(plan(), [review(plan(), pin="4")], KEY, known).unreviewed
    assert one.is_asked
    (one,) = judge(plan(), [review(plan("Doe^Petra"), pin="4")], KEY, known).unreviewed
    assert not one.is_asked


def test_a_blocked_action_counts_if_it_was_reviewed_or_touched() -> None:
    blocked = plan("MPI-1", attribute="PatientID")
    assert blocked.held
    nothing = Evidence(float(NOW), touched=frozenset())
    assert judge(blocked, [], KEY, nothing).aside == blocked.held
    assert judge(blocked, [], KEY, Evidence(float(NOW))).aside == ()
    merging = plan("MPI-1", attribute="PatientID", more=", MERGES_PATIENTS@2")
    assert judge(blocked, [review(merging)], KEY, nothing).aside == ()


def test_a_file_is_read_as_it_was_written() -> None:
    data = dumps(review(plan()), KEY)
    assert loads(data, KEY) == review(plan())
    assert b"Pieter" not in data


def edited(**fields: object) -> bytes:
    raw = json.loads(dumps(review(plan()), KEY))
    return json.dumps(raw | fields).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"{", "it is incomplete, or not a review"),
        (b"[]", "it is not a review"),
        (edited(kind="Plan"), "it is not a review"),
        (
            edited(toolVersion="9"),
            f"version 9 of reconcile made it, and this is version {reconciler.__version__}",
        ),
        (edited(nonce="0"), "it was edited"),
        (edited(seal=None), "it was edited"),
    ],
)
def test_any_other_file_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(ReviewFileError) as raised:
        loads(data, KEY)
    assert says in raised.value.message
    assert raised.value.hint


def test_a_review_of_another_repository_is_refused() -> None:
    with pytest.raises(ReviewFileError, match="of a repository with another"):
        loads(dumps(review(plan()), OTHER_KEY), KEY)


def test_a_sealed_file_that_holds_no_review_is_refused() -> None:
    raw = json.loads(dumps(review(plan()), KEY))
    del raw["seal"], raw["changes"]
    raw["seal"] = KEY.digest(Use.REVIEW, raw)
    with pytest.raises(ReviewFileError, match="does not hold a valid review"):
        loads(json.dumps(raw).encode(), KEY)
