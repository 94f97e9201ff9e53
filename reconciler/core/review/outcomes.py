"""Make the review of an apply. Decides what renderers show, but not how it looks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath

from reconciler.core.errors import EXIT_BUG, EXIT_ERROR, EXIT_PENDING, gravest
from reconciler.core.model.change import Block
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Action, HazardUse, Plan, Status, Step, Unread, pins
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Redact
from reconciler.core.review.applied import (
    AppliedReview,
    Mark,
    ShownCall,
    ShownHeld,
    ShownMember,
    ShownOutcome,
    ShownProblem,
    ShownRecords,
)
from reconciler.core.review.mask import masked
from reconciler.core.review.shown import ShownValue, show

_NEXT: dict[Result, str] = {
    Result.CONFLICT: "Another process changed the image set. Run `reconcile plan` again.",
    Result.FAILED: "Fix the error above, then run `reconcile plan` again.",
    Result.UNVERIFIED: "Run `reconcile plan`: it shows what is different, and how to accept it.",
    Result.UNRESOLVED: "Run the same command again to find out how the update ended.",
    Result.STALE: "The saved plan is out of date. Make a new plan with `reconcile plan --out`.",
    Result.UNREVIEWED: "Merge a pull request with a fresh review of these changes.",
    Result.NOT_ATTEMPTED: "Run the same command again to continue.",
}


def review_applied(applied: Applied, redact: Redact) -> AppliedReview:
    """The review of what became of a plan, masked as `redact` says."""
    results = Counter(outcome.result for outcome in applied.outcomes)
    counts = tuple(_counts(results, applied.held, applied.plan.unread))
    return AppliedReview(
        plan_digest=applied.plan_digest,
        basis=applied.plan.basis,
        outcomes=tuple(map(reviewer(applied.plan, redact), applied.outcomes)),
        held=tuple(_held(action) for action in applied.held),
        recovered=applied.recovered,
        steps=len(applied.plan.steps),
        results=tuple((result, results[result]) for result in Result),
        counts=counts,
        summary=_summary(counts),
        advice=tuple((result, text) for result, text in _NEXT.items() if results[result]),
        records=_records(applied.recorded, applied.commit),
        problems=tuple(ShownProblem(problem.message, problem.hint) for problem in applied.problems),
        exit_code=gravest(_exit_codes(applied)),
        unread=applied.plan.unread,
    )


def reviewer(plan: Plan, redact: Redact) -> Callable[[Outcome], ShownOutcome]:
    """A function that reviews the outcome of one step of a plan, as soon as it is known."""
    planned = {
        _identity(step): versions
        for action in plan.actions
        for step, versions in zip(action.steps, pins(action), strict=True)
    }

    def shown(outcome: Outcome) -> ShownOutcome:
        return ShownOutcome(
            call=_call(outcome.step),
            result=outcome.result,
            mark=_mark(outcome.result),
            message=outcome.message,
            members=tuple(_members(outcome, planned.get(_identity(outcome.step), {}))),
            said=_said(outcome.said, redact),
        )

    return shown


def _identity(step: Step) -> tuple[str, str, str]:
    """Identify a step within its plan."""
    return step.datastore_id, step.image_set_id, step.pin


def _members(outcome: Outcome, planned: Mapping[str, str]) -> Iterator[ShownMember]:
    """The image sets of a step. `planned` is the version of each before the step."""
    seen = {landed.image_set_id: landed.version_id for landed in outcome.landed}
    before = {landed.image_set_id: landed.previous_version_id for landed in outcome.landed}
    before |= {**planned, outcome.step.image_set_id: outcome.step.pin}
    for image_set_id, pin in sorted(before.items()):
        yield ShownMember(image_set_id, pin, seen.get(image_set_id, ""))


def _call(step: Step) -> ShownCall:
    return ShownCall(
        image_set_id=step.image_set_id,
        pin=step.pin,
        force=step.force,
        study_wide=step.study_wide,
        revert_to=step.revert_to,
    )


def _said(text: str, redact: Redact) -> ShownValue | None:
    """The service's own text may echo the values of any attribute: it has no tag."""
    return show(text, None, redact) if text and not masked(None, text, redact) else None


def _mark(end: Result | Status) -> Mark:
    if end.is_good:
        return Mark.GOOD
    if end.is_error:
        return Mark.ERROR
    return Mark.UNKNOWN if end is Result.UNRESOLVED else Mark.PENDING


def _held(action: Action) -> ShownHeld:
    return ShownHeld(
        image_set_id=action.image_set_id,
        pin=action.members[0].pin,
        status=action.status,
        mark=_mark(action.status),
        reasons=tuple(_reasons(action.blocks)),
        missing=_missing(action.hazards),
    )


def _reasons(blocks: Iterable[Block]) -> Iterator[ShownProblem]:
    """Each message and each hint once. Only a bug has its hint here: the plan shows the others."""
    hints: dict[str, str] = {}
    for block in blocks:
        hints[block.message] = hints.get(block.message) or (block.hint if block.is_bug else "")
    seen = {""}
    for message, hint in hints.items():
        yield ShownProblem(message, "" if hint in seen else hint)
        seen.add(hint)


def _missing(uses: Iterable[HazardUse]) -> tuple[HazardUse, ...]:
    """One for each hazard and line to add, however many image sets of a study share it."""
    found: dict[tuple[str, str], HazardUse] = {}
    for use in uses:
        if not use.consented:
            found.setdefault((use.hazard, use.consent), use)
    return tuple(found.values())


def _counts(
    results: Counter[Result], held: Sequence[Action], unread: Sequence[Unread]
) -> Iterator[tuple[str, int]]:
    """In the order of `Result`; then the statuses of held actions, then what was not read."""
    words = Counter({str(result): results[result] for result in Result if results[result]})
    words.update(sorted(str(action.status) for action in held))
    yield from words.items()
    if unread:
        yield "not read", sum(one.image_sets for one in unread)


def _summary(counts: Sequence[tuple[str, int]]) -> str:
    """`Apply: 3 converged, 1 blocked.`"""
    if not counts:
        return "Apply: nothing to do."
    return f"Apply: {', '.join(f'{count:,} {word}' for word, count in counts)}."


def _records(recorded: Sequence[PurePath], commit: str) -> ShownRecords:
    files = sum(path.name != KEY_FILE for path in recorded)
    return ShownRecords(
        paths=tuple(path.as_posix() for path in recorded),
        files=files,
        has_new_key=files < len(recorded),
        commit=commit,
    )


def _exit_codes(applied: Applied) -> Iterator[int]:
    """3 after a bug, else 1 after an error, else 2 if work is left to do."""
    yield from (problem.exit_code for problem in applied.problems)
    yield from (EXIT_ERROR for _ in applied.plan.unread)
    yield from (EXIT_BUG for action in applied.held if action.is_held_by_a_bug)
    ends: list[Result | Status] = [
        *(outcome.result for outcome in applied.outcomes),
        *(action.status for action in applied.held),
    ]
    yield from (EXIT_ERROR for end in ends if end.is_error)
    yield from (EXIT_PENDING for end in ends if end.is_pending)
