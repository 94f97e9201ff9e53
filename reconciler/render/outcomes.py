"""Render the outcomes of an apply as text."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.escape import escape
from reconciler.core.model.outcome import Landed
from reconciler.core.report import recording
from reconciler.core.review import AppliedReview
from reconciler.core.review.applied import Mark, ShownHeld, ShownMember, ShownOutcome
from reconciler.render.style import Look, Style

_SIGN: dict[Mark, tuple[str, Style]] = {
    Mark.GOOD: ("✓", Style.ADD),
    Mark.ERROR: ("✗", Style.ERROR),
    Mark.UNKNOWN: ("?", Style.UPDATE),
    Mark.PENDING: ("·", Style.UPDATE),
}


def event_lines(outcome: ShownOutcome) -> Iterator[str]:
    """`converged  image set ea92…  version 1 → 2`, and a line for each other image set."""
    result = str(outcome.result)
    for member in outcome.members:
        yield f"{result:<17}  image set {member.image_set_id}  {_of_member(member)}"
        result = ""


def outcome_lines(outcome: ShownOutcome, look: Look) -> Iterator[str]:
    """The lines of one outcome: the result and its message, with the hint on its own line."""
    sign = _sign(outcome.mark, look)
    for line in event_lines(outcome):
        yield f"{sign} {line}"
        sign = " "
    for line in outcome.message.split("\n") if outcome.message else ():
        yield f"    {escape(line.strip())}"
    if outcome.said:
        yield f"    the service says: {escape(outcome.said.plain)}"


def report_lines(review: AppliedReview, look: Look) -> Iterator[str]:
    """The end of a report: recovered versions, held actions, advice, totals and records."""
    for landed in review.recovered:
        yield f"{_sign(Mark.GOOD, look)} {_recovered(landed)}"
    for held in review.held:
        yield from _held(held, look)
    for result, text in review.advice:
        yield look.paint(f"{result}: {text}", Style.DIM)
    yield look.paint(review.summary, Style.STRONG)
    yield from recording(review.records)


def sign_of(mark: Mark) -> tuple[str, Style]:
    """The sign of an outcome, and its style."""
    return _SIGN[mark]


def _sign(mark: Mark, look: Look) -> str:
    return look.paint(*_SIGN[mark])


def _of_member(member: ShownMember) -> str:
    if not member.version_id:
        return f"planned at version {member.pin}"
    return f"version {member.pin} → {member.version_id}"


def _versions(landed: Landed) -> str:
    return f"{landed.previous_version_id} → {landed.version_id}"


def _recovered(landed: Landed) -> str:
    moved = f"version {_versions(landed)}"
    return f"{'recovered':<17}  image set {landed.image_set_id}  {moved}, by an interrupted run"


def _held(held: ShownHeld, look: Look) -> Iterator[str]:
    """An action that the plan held back, with the reasons."""
    yield f"{_sign(held.mark, look)} {held.status:<17}  image set {held.image_set_id}"
    for reason in held.reasons:
        yield f"    {escape(reason.message)}"
        if reason.hint:
            yield f"    {escape(reason.hint)}"
    for one in held.missing:
        yield f"    {one.hazard} needs consent: {one.line}"
