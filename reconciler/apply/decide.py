"""What a step has come to, from what sending it answered and what reading then showed. Pure.

UpdateImageSetMetadata carries a pin, so version pin+1 of the image set it names is made by
whoever sent first, exactly once. A 404 on an update may be a stale pin, a lost answer may have
landed, a killed run may have landed: in every case what counts is the content of version pin+1.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.model.observed import Properties
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Step, next_version
from reconciler.core.model.workflow_status import Wait, verdict


class Answer(StrEnum):
    """What sending a step has told so far."""

    NONE = "none"  # nothing was sent, or nothing that arrived
    REFUSED = "refused"  # 404 or 409: a stale pin, an image set that is LOCKED or gone
    LOST = "lost"  # sent, and no answer came
    ACCEPTED = "accepted"

    @property
    def may_be_ours(self) -> bool:
        """Whether this run may have produced version pin+1."""
        return self in (Answer.LOST, Answer.ACCEPTED)


class Finding(StrEnum):
    """What an image set shows of the version that a step produces."""

    BEHIND = "behind"  # the service does not even show the pin
    AT_PIN = "at-pin"  # at rest at the pin
    UNDER_WAY = "under-way"
    UPDATE_FAILED = "update-failed"  # version pin+1 is a failed operation
    GONE = "gone"
    PRODUCED = "produced"  # version pin+1 is at rest, its content not read yet
    EQUAL = "equal"  # version pin+1 has the content that the step expects
    OTHER = "other"  # version pin+1 has other content


@dataclass(frozen=True, slots=True)
class Seen:
    """One image set of a step. `produced` is version pin+1, None where there is none."""

    image_set_id: str
    pin: str
    latest: str
    finding: Finding
    produced: Properties | None = None

    @property
    def moved_on(self) -> bool:
        """Whether there is a version after the one that the step produces."""
        return bool(self.latest) and int(self.latest) > int(self.pin) + 1


class Next(StrEnum):
    """What to do now. The values that are results end the step."""

    SEND = "send"
    WAIT = "wait"
    READ = "read"
    CONVERGED = "converged"
    ALREADY_CONVERGED = "already-converged"
    CONFLICT = "conflict"
    UNVERIFIED = "unverified"
    FAILED = "failed"

    @property
    def is_done(self) -> bool:
        """Whether what the step asks for is there."""
        return self in (Next.CONVERGED, Next.ALREADY_CONVERGED)


# The total table for one image set.
_ALWAYS: dict[Finding, Next] = {
    Finding.UNDER_WAY: Next.WAIT,
    Finding.PRODUCED: Next.READ,
    Finding.UPDATE_FAILED: Next.FAILED,
    Finding.GONE: Next.FAILED,
}
_BY_ANSWER: dict[Answer, dict[Finding, Next]] = {
    Answer.ACCEPTED: {
        **_ALWAYS,
        Finding.BEHIND: Next.WAIT,  # accepted but not shown yet
        Finding.AT_PIN: Next.WAIT,
        Finding.EQUAL: Next.CONVERGED,
        Finding.OTHER: Next.UNVERIFIED,
    },
    Answer.LOST: {
        **_ALWAYS,
        Finding.BEHIND: Next.CONFLICT,
        Finding.AT_PIN: Next.SEND,
        Finding.EQUAL: Next.CONVERGED,
        Finding.OTHER: Next.CONFLICT,
    },
    Answer.REFUSED: {
        **_ALWAYS,
        Finding.BEHIND: Next.CONFLICT,
        Finding.AT_PIN: Next.SEND,
        Finding.EQUAL: Next.ALREADY_CONVERGED,
        Finding.OTHER: Next.CONFLICT,
    },
}
TABLE: dict[tuple[Answer, Finding], Next] = {
    (answer, found): step
    for answer, row in {**_BY_ANSWER, Answer.NONE: _BY_ANSWER[Answer.REFUSED]}.items()
    for found, step in row.items()
}

# What a sibling shows when a study-wide call may be sent: the service checks no pin of a sibling.
READY = frozenset({Finding.AT_PIN})


@dataclass(frozen=True, slots=True)
class Tables:
    """The decisions of a step. The proofs that the laws find bugs bring flawed ones."""

    outcome: Mapping[tuple[Answer, Finding], Next] = field(default_factory=lambda: TABLE)
    ready: Set[Finding] = READY


TABLES = Tables()

# Of several image sets the first of these decides.
_PRECEDENCE = (Next.WAIT, Next.READ, Next.FAILED, Next.CONFLICT, Next.UNVERIFIED)


def found(pin: str, latest: Properties, produced: Properties | None) -> Finding:
    """What one image set shows, as far as that can be told without its content."""
    now = verdict(latest.state, latest.workflow_status)
    if now is Wait.GONE:
        return Finding.GONE
    if int(latest.version_id) < int(pin):
        return Finding.BEHIND
    if int(latest.version_id) == int(pin):
        return Finding.UNDER_WAY if now is Wait.KEEP else Finding.AT_PIN
    if produced is None:
        return Finding.OTHER
    return _PRODUCED[verdict(produced.state, produced.workflow_status)]


_PRODUCED: dict[Wait, Finding] = {
    Wait.KEEP: Finding.UNDER_WAY,
    Wait.DONE: Finding.PRODUCED,
    Wait.FAILED: Finding.UPDATE_FAILED,
    Wait.GONE: Finding.GONE,
}


def decide(step: Step, answer: Answer, seen: Mapping[str, Seen], tables: Tables = TABLES) -> Next:
    """What to do about a step, given every image set that it raises."""
    target = tables.outcome[answer, seen[step.image_set_id].finding]
    if target is Next.FAILED:
        return target  # its siblings never moved: do not wait for them
    each = {_of_one(step, one, tables.outcome[answer, one.finding]) for one in seen.values()}
    for first in _PRECEDENCE:
        if first in each:
            return first
    # Some moved and some did not, though a study-wide update is atomic: not this update.
    return target if len(each) == 1 else Next.CONFLICT


def _of_one(step: Step, one: Seen, result: Next) -> Next:
    if result is Next.UNVERIFIED and one.image_set_id != step.image_set_id and one.moved_on:
        # The service checks no pin of a sibling: somebody wrote between our look and our send.
        return Next.CONFLICT
    return result


def explain(decision: Next, seen: Mapping[str, Seen]) -> str:
    """For people: what happened to which image set, at which version; "" if all is as planned.

    It holds no text of the service, which may echo DICOM values: that is in `service_messages`.
    """
    told = (_explain_one(one, decision) for one in seen.values())
    return "; ".join(sentence for sentence in told if sentence)


def service_messages(seen: Mapping[str, Seen]) -> tuple[tuple[str, str, str], ...]:
    """Image set, version and the service's message of every version that is a failed update."""
    return tuple(
        (one.image_set_id, one.produced.version_id, one.produced.message)
        for one in seen.values()
        if one.finding is Finding.UPDATE_FAILED and one.produced is not None
    )


def _explain_one(one: Seen, decision: Next) -> str:
    name, produced = f"image set {one.image_set_id}", next_version(one.pin)
    match one.finding:
        case Finding.GONE:
            return f"{name} does not exist any more"
        case Finding.UPDATE_FAILED:
            status = one.produced.workflow_status if one.produced else "failed"
            return f"{name}: UpdateImageSetMetadata failed, version {produced} is {status}"
        case Finding.OTHER if decision is Next.CONFLICT and one.moved_on:
            return (
                f"{name} went from version {one.pin} to {one.latest}: somebody else wrote to it, "
                f"and version {produced} does not have the planned content"
            )
        case Finding.OTHER if decision is Next.CONFLICT:
            return f"{name} is at version {one.latest}, the plan was made at {one.pin}"
        case Finding.OTHER:
            return f"{name}: version {produced} does not have the planned content"
        case Finding.BEHIND if decision is Next.CONFLICT:
            return f"{name} is at version {one.latest}, the plan was made at {one.pin}"
        case Finding.AT_PIN if decision is Next.CONFLICT:
            return f"{name} is still at version {one.pin}"
        case Finding.EQUAL if one.moved_on:
            return f"{name}: verified at version {produced}, it is at {one.latest} by now"
        case _:
            return ""


RESULT: dict[Next, Result] = {
    Next.CONVERGED: Result.CONVERGED,
    Next.ALREADY_CONVERGED: Result.ALREADY_CONVERGED,
    Next.CONFLICT: Result.CONFLICT,
    Next.UNVERIFIED: Result.UNVERIFIED,
    Next.FAILED: Result.FAILED,
}
