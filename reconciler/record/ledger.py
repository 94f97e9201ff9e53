"""Outcomes -> record entries of the image sets of a plan. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.core.model.attempt import Attempt
from reconciler.core.model.outcome import Landed, Outcome
from reconciler.core.model.plan import Action, Member, Plan, Status, Step
from reconciler.core.model.record import Entry


class Ledger:
    """Finds the actions and members of a plan by the steps that have ended."""

    def __init__(self, plan: Plan) -> None:
        self._members = {
            (action.datastore_id, member.image_set_id): (action, member)
            for action in plan.actions
            for member in action.members
        }
        self._last = {
            (step.datastore_id, image_set_id): step
            for step in plan.steps
            for image_set_id, _ in step.expected
        }
        self._action_of = {
            (step.datastore_id, step.image_set_id, step.pin): action
            for action in plan.actions
            for step in action.steps
        }

    def action_of(self, step: Step) -> Action:
        """Return the action of a step."""
        return self._action_of[step.datastore_id, step.image_set_id, step.pin]

    def landed(self, outcome: Outcome) -> Iterator[tuple[str, Entry]]:
        """Yield the data store and the entry of each version that a step created and that was seen.

        A version that a later step replaces has no entry. After a study-wide call, the image sets
        that are as planned are recorded, even if others are not.
        """
        for landed in outcome.landed:
            key = (outcome.step.datastore_id, landed.image_set_id)
            if self._last[key] != outcome.step:
                continue
            action, member = self._members[key]
            # The version before the first call: it has the old content for a revert.
            seen = replace(landed, previous_version_id=member.before)
            yield action.datastore, _entry(action.datastore_id, member, seen)


def converged(plan: Plan, datastore: str) -> Iterator[tuple[Member, Entry]]:
    """Yield the members of one data store that a plan found converged, with their entries.

    The previous version is the version before an interrupted run of ours, or the recorded one.
    """
    for action in plan.actions:
        if action.datastore != datastore or action.status is not Status.CONVERGED:
            continue
        for member in action.members:
            previous = member.origin_version_id or member.previous_version_id
            seen = Landed(
                member.image_set_id, member.pin, previous, member.updated_at, member.created_at
            )
            yield member, _entry(action.datastore_id, member, seen)


def recovered(attempt: Attempt, landed: Landed) -> Entry:
    """Return the entry of a version that an interrupted run created, by its attempt."""
    return _entry(attempt.datastore_id, attempt, landed)


def _entry(datastore_id: str, subject: Member | Attempt, seen: Landed) -> Entry:
    return Entry(
        datastore_id=datastore_id,
        image_set_id=seen.image_set_id,
        version_id=seen.version_id,
        previous_version_id=seen.previous_version_id,
        updated_at=seen.updated_at,
        created_at=seen.created_at,
        asked=subject.asked,
        ask_digest=subject.ask_digest,
    )
