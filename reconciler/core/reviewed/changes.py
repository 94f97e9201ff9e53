"""A plan -> the changes that its review approves, each with its digest and its hazards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from reconciler.core.model.change import Change
from reconciler.core.model.key import Key, Use
from reconciler.core.model.plan import Action, HazardUse, Plan
from reconciler.core.model.reviewed import ReviewedChange
from reconciler.core.model.value import Json


def reviewed_changes(plan: Plan, key: Key) -> tuple[ReviewedChange, ...]:
    """Every change that an apply of this plan would make, sorted.

    What the plan holds back is not there: approving a plan does not approve what it blocks.
    """
    return tuple(sorted(row for action in plan.runnable for row in rows_of(action, key)))


def rows_of(action: Action, key: Key) -> Iterator[ReviewedChange]:
    """The changes of one action as rows of a review."""
    members = {member.image_set_id: member for member in action.members}
    shared = shared_uses(action)
    for change in action.changes:
        member = members[change.image_set_id]
        uses = [*own_uses(action, change), *shared]
        yield ReviewedChange(
            datastore_id=action.datastore_id,
            image_set_id=change.image_set_id,
            path=change.shown(),
            op=change.op,
            pin=member.pin,
            hazards=_named(uses),
            consents=_named(use for use in uses if use.consented),
            digest=change_digest(action.datastore_id, member.arn, change, key),
            instances=change.instances,
        )


def change_digest(datastore_id: str, arn: str, change: Change, key: Key) -> str:
    """`hmac-sha256:…` of one change. It is the same in every plan that asks for the same.

    Pins, hazards and the value before are not covered: they are compared in their own ways.
    """
    return key.digest(
        Use.CHANGE,
        cast(
            Json,
            {
                "datastoreId": datastore_id,
                "arn": arn,
                "imageSetId": change.image_set_id,
                "path": change.path(),
                "op": str(change.op),
                "vr": change.vr,
                "after": [change.after.raw] if change.after else [],
            },
        ),
    )


def own_uses(action: Action, change: Change) -> list[HazardUse]:
    """The hazards of an action that this change has itself."""
    return [
        use
        for use in action.hazards
        if use.hazard in change.hazards and use.image_set_id == change.image_set_id
    ]


def shared_uses(action: Action) -> list[HazardUse]:
    """The hazards of an action that no single change has, such as STUDY_WIDE."""
    of_changes = {hazard for change in action.changes for hazard in change.hazards}
    return [use for use in action.hazards if use.hazard not in of_changes]


def _named(uses: Iterable[HazardUse]) -> tuple[str, ...]:
    return tuple(sorted({named(use) for use in uses}))


def named(use: HazardUse) -> str:
    """`OVERWRITES_DRIFT@5`: a hazard with the version or the number that a consent must name."""
    bound = use.version_id or str(use.number or "")
    return f"{use.hazard}@{bound}" if bound else str(use.hazard)
