"""Count the actions, changes and calls of a plan, and summarize them in a line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from reconciler.core.model.first_changes import FirstChanges, first_changes
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Plan, Status, image_sets_with
from reconciler.core.review.phrases import plural

# What image sets of actions without calls are, in words.
COUNTED = {
    Status.DRIFTED: "drifted and held back",
    Status.BLOCKED: "blocked",
    Status.BUSY: "busy",
    Status.CONVERGED: "converged",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """`actions` counts image sets by the status of their action, for every status.

    `raised` counts the image sets whose version the calls raise. `standing` counts the image sets
    of actions without calls, by status. `unrecorded` counts converged image sets without a record.
    `unread` counts the image sets of data stores that could not be read. `history` counts the image
    sets with HISTORY_KEEPS_VALUES, `drifted` those with a drifted value. `as_recorded` counts the
    image sets that were not looked at, since no search lists a change of them: `standing` does not
    call them converged. `selectors` counts the manifests that select image sets.
    """

    actions: tuple[tuple[Status, int], ...]
    changes: int
    calls: int
    raised: int
    standing: tuple[tuple[Status, int], ...]
    unrecorded: int
    first: FirstChanges
    unread: int = 0
    history: int = 0
    drifted: int = 0
    as_recorded: int = 0
    selectors: int = 0


def totals_of(plan: Plan, as_recorded: int = 0) -> Totals:
    """Count a plan, of which so many image sets were not looked at."""
    statuses, standing = Counter[Status](), Counter[Status]()
    for action in plan.actions:
        count = len(action.image_sets)
        statuses[action.status] += count
        if not action.steps:
            standing[action.status] += count
    unchanged = sum(one.image_sets for one in plan.unchanged)
    statuses[Status.CONVERGED] += unchanged
    standing[Status.CONVERGED] += unchanged - as_recorded
    return Totals(
        actions=tuple((status, statuses[status]) for status in Status),
        changes=sum(len(action.changes) for action in plan.actions),
        calls=len(plan.steps),
        raised=len({name for step in plan.steps for name, _ in step.expected}),
        standing=tuple((status, standing[status]) for status in COUNTED if standing[status]),
        unrecorded=sum(
            not member.recorded
            for action in plan.actions
            if action.status is Status.CONVERGED
            for member in action.members
            if member.image_set_id in action.image_sets
        ),
        first=first_changes(plan),
        unread=sum(one.image_sets for one in plan.unread),
        history=image_sets_with(plan, Hazard.HISTORY_KEEPS_VALUES),
        drifted=len(
            {
                change.image_set_id
                for action in plan.actions
                for change in action.changes
                if change.drifted
            }
        ),
        as_recorded=as_recorded,
        selectors=len(plan.selections),
    )


def summary(totals: Totals) -> str:
    """`Plan: 3 image sets to update (3 calls), 1 blocked, 2 converged.`"""
    if not any(count for _, count in totals.actions) and not totals.unread:
        none = "no image set is selected" if totals.selectors else "there are no manifests"
        return f"Plan: nothing to do, {none}."
    parts = [f"{count:,} {COUNTED[status]}" for status, count in totals.standing]
    if totals.as_recorded:
        parts.append(f"{totals.as_recorded:,} as recorded")
    if totals.raised:
        calls = plural(totals.calls, "call")
        parts.insert(0, f"{plural(totals.raised, 'image set')} to update ({calls})")
    elif {status for status, _ in totals.standing} <= {Status.CONVERGED} and not totals.unread:
        return f"Plan: nothing to do, {', '.join(parts)}."
    if totals.unread:
        parts.append(f"{totals.unread:,} not read")
    return f"Plan: {', '.join(parts)}."
