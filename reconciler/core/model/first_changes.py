"""First changes: what a plan changes that no record mentions, so that no review is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.model.address import Level
from reconciler.core.model.plan import Plan

_INSTANCE = Level.INSTANCE


@dataclass(frozen=True, slots=True)
class FirstChanges:
    """What the calls change that was never reviewed before.

    `attributes` counts attributes at every level, `instances` those with such an attribute.
    """

    image_sets: int
    attributes: int
    instances: int


def first_changes(plan: Plan) -> FirstChanges:
    """Count the first changes of a plan."""
    found = [
        change
        for action in plan.actions
        if action.steps
        for change in action.changes
        if change.is_first
    ]
    return FirstChanges(
        image_sets=len({change.image_set_id for change in found}),
        attributes=len(found),
        instances=len(
            {
                (change.image_set_id, change.address)
                for change in found
                if change.address.level is _INSTANCE
            }
        ),
    )
