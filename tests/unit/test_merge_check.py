"""What fails the check of a pull request, and what is printed beside its plan."""

from __future__ import annotations

import pytest

from reconciler.core.model.at_base import AtBase, StatusAtBase
from reconciler.core.model.plan import Action, Basis, Member, Plan, Status
from reconciler.core.review.merge_check import held_by_merge, merge_check_lines
from tests.documents import DATASTORE_ID
from tests.planning import A, B

BLOCKED = AtBase(StatusAtBase.BLOCKED, asks_changed=False)


def action(status: Status, at_base: AtBase | None, *names: str) -> Action:
    members = tuple(Member(name, "1") for name in names or (A,))
    return Action("research", DATASTORE_ID, status, members, at_base=at_base)


@pytest.mark.parametrize(
    ("status", "at_base", "fails"),
    [
        (Status.BLOCKED, None, True),
        (Status.BLOCKED, BLOCKED, False),
        (Status.BLOCKED, AtBase(StatusAtBase.BLOCKED, asks_changed=True), True),
        (Status.BLOCKED, AtBase(StatusAtBase.CONVERGED, asks_changed=False), True),
        (Status.BLOCKED, AtBase(StatusAtBase.UNMANAGED, asks_changed=False), True),
        (Status.DRIFTED, BLOCKED, True),
        (Status.DRIFTED, AtBase(StatusAtBase.DRIFTED, asks_changed=False), False),
        (Status.UPDATE, None, False),
        (Status.CONVERGED, None, False),
        (Status.BUSY, None, False),
    ],
)
def test_what_fails(status: Status, at_base: AtBase | None, fails: bool) -> None:
    one = action(status, at_base)
    assert held_by_merge(Plan(Basis("", 1), (one,))) == ((one,) if fails else ())


def test_a_plan_that_may_be_merged_has_no_lines() -> None:
    assert list(merge_check_lines(())) == []


def test_each_action_says_how_it_stood() -> None:
    held = (
        action(Status.BLOCKED, AtBase(StatusAtBase.CONVERGED, asks_changed=False), A, B),
        action(Status.DRIFTED, None),
    )
    assert list(merge_check_lines(held)) == [
        "After the merge, apply would not change 3 image sets:",
        f"  blocked: image set {A} (at the base: converged)",
        f"  drifted: image set {A}",
        "The plan states why, and what to do next. Push a commit that does it.",
    ]


def test_many_actions_are_counted() -> None:
    lines = list(merge_check_lines([action(Status.BLOCKED, None)] * 12))
    assert len(lines) == 13
    assert lines[11] == "  … and 2 more actions"
