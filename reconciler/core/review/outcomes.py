"""Make the review of an apply. Decides what renderers show, but not how it looks. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from reconciler.core.errors import EXIT_BUG, EXIT_ERROR, EXIT_PENDING, Place, gravest
from reconciler.core.model.address import Level
from reconciler.core.model.change import Block, Op
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Action, HazardUse, Plan, Status, Step, pins
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Redact
from reconciler.core.review.applied import (
    AppliedReview,
    ShownCall,
    ShownConsent,
    ShownEdit,
    ShownHeld,
    ShownMember,
    ShownOutcome,
    ShownProblem,
    ShownRecords,
)
from reconciler.core.review.mask import is_key, masked
from reconciler.core.review.phrases import not_selected
from reconciler.core.review.shown import ShownValue, show


def review_applied(applied: Applied, redact: Redact) -> AppliedReview:
    """The review of what became of a plan, masked as `redact` says."""
    return AppliedReview(
        plan_digest=applied.plan_digest,
        basis=applied.plan.basis,
        outcomes=tuple(map(reviewer(applied.plan, redact), applied.outcomes)),
        held=tuple(_held(action) for action in applied.held),
        recovered=applied.recovered,
        steps=len(applied.plan.steps),
        sent=applied.sent,
        seconds=applied.seconds,
        records=_records(applied),
        problems=(
            *(ShownProblem(problem.message, problem.hint) for problem in applied.problems),
            *(ShownProblem(not_selected(one), one.hint) for one in applied.plan.not_selected),
        ),
        exit_code=gravest(_exit_codes(applied)),
        unread=applied.plan.unread,
    )


def reviewer(plan: Plan, redact: Redact) -> Callable[[Outcome], ShownOutcome]:
    """A function that reviews the outcome of one step of a plan, as soon as it is known."""
    planned = {
        _identity(step): (action, versions)
        for action in plan.actions
        for step, versions in zip(action.steps, pins(action), strict=True)
    }

    def shown(outcome: Outcome) -> ShownOutcome:
        step = outcome.step
        action, versions = planned.get(_identity(step), (None, {}))
        return ShownOutcome(
            call=_call(step, action),
            result=outcome.result,
            message=outcome.message,
            members=tuple(_members(outcome, versions, _edits(action, step) if action else {})),
            said=_said(outcome.said, redact),
            place=_place_of_edits(action) if action else None,
        )

    return shown


def _identity(step: Step) -> tuple[str, str, str]:
    """Identify a step within its plan."""
    return step.datastore_id, step.image_set_id, step.pin


def _members(
    outcome: Outcome, planned: Mapping[str, str], edits: Mapping[str, tuple[ShownEdit, ...]]
) -> Iterator[ShownMember]:
    """The image sets of a step. `planned` is the version of each before the step."""
    seen = {landed.image_set_id: landed.version_id for landed in outcome.landed}
    before = {landed.image_set_id: landed.previous_version_id for landed in outcome.landed}
    before |= {**planned, outcome.step.image_set_id: outcome.step.pin}
    for image_set_id, pin in sorted(before.items()):
        found = edits.get(image_set_id, ())
        yield ShownMember(image_set_id, pin, seen.get(image_set_id, ""), found)


def _call(step: Step, action: Action | None) -> ShownCall:
    return ShownCall(
        datastore=action.datastore if action else "",
        datastore_id=step.datastore_id,
        image_set_id=step.image_set_id,
        pin=step.pin,
        force=step.force,
        study_wide=step.study_wide,
        revert_to=step.revert_to,
    )


def _edits(action: Action, step: Step) -> dict[str, tuple[ShownEdit, ...]]:
    """The edits of the image sets for which this is the last call of their action.

    The calls of an image set run in order, so all its edits are made once the last one succeeds.
    """
    last = {name: one for one in action.steps for name, _ in one.expected}
    found: dict[str, Counter[tuple[Op, Level, str]]] = defaultdict(Counter)
    for change in action.changes:
        if last.get(change.image_set_id) is step:
            name = change.key if is_key(change.key) else ""
            found[change.image_set_id][change.op, change.address.level, name] += 1
    return {
        name: tuple(ShownEdit(*edit, places) for edit, places in counted.items())
        for name, counted in found.items()
    }


def _place_of_edits(action: Action) -> Place | None:
    """The first line that asks for a change; a revert has none, but its manifest."""
    places = (change.place for change in action.changes if change.place)
    return min(places, default=min(action.places, default=None))


def _said(text: str, redact: Redact) -> ShownValue | None:
    """The service's own text may echo the values of any attribute: it has no tag."""
    return show(text, None, redact) if text and not masked(None, text, redact) else None


def _held(action: Action) -> ShownHeld:
    return ShownHeld(
        datastore=action.datastore,
        datastore_id=action.datastore_id,
        image_set_id=action.image_set_id,
        pin=action.members[0].pin,
        image_set_ids=action.image_sets,
        status=action.status,
        reasons=tuple(_reasons(action.blocks)),
        missing=_missing(action.hazards),
        place=min(action.places, default=None),
    )


def _reasons(blocks: Iterable[Block]) -> Iterator[ShownProblem]:
    """Each message and each hint once."""
    hints: dict[str, str] = {}
    for block in blocks:
        hints[block.message] = hints.get(block.message) or block.hint
    seen = {""}
    for message, hint in hints.items():
        yield ShownProblem(message, "" if hint in seen else hint)
        seen.add(hint)


def _missing(uses: Iterable[HazardUse]) -> tuple[ShownConsent, ...]:
    """One for each hazard and line to add, however many image sets of a study share it."""
    found = (ShownConsent(use.hazard, use.consent) for use in uses if not use.consented)
    return tuple(dict.fromkeys(found))


def _records(applied: Applied) -> ShownRecords:
    return ShownRecords(
        paths=tuple(path.as_posix() for path in applied.recorded),
        commit=applied.commit,
        missing=applied.unrecorded,
        published=applied.published,
    )


def _exit_codes(applied: Applied) -> Iterator[int]:
    """3 after a bug, else 1 after an error, else 2 if work is left to do."""
    yield from (problem.exit_code for problem in applied.problems)
    yield from (EXIT_ERROR for _ in (*applied.plan.unread, *applied.plan.not_selected))
    yield from (EXIT_BUG for action in applied.held if action.is_held_by_a_bug)
    ends: list[Result | Status] = [
        *(outcome.result for outcome in applied.outcomes),
        *(action.status for action in applied.held),
    ]
    yield from (EXIT_ERROR for end in ends if end.is_error)
    yield from (EXIT_PENDING for end in ends if end.is_pending)
