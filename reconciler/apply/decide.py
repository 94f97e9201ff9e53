"""Decide how a step stands, from the answer to its update and from later reads. Pure.

UpdateImageSetMetadata states the version that it expects, the pin. So exactly one request makes
version pin+1 of the image set. A 404 may mean a stale pin. A request without an answer, and a
request of a killed run, may have succeeded. In every case, the content of version pin+1 decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.model.observed import Properties
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Step, next_version
from reconciler.core.model.workflow_status import Verdict, verdict


class Answer(StrEnum):
    """The answer to the update so far."""

    NONE = "none"  # nothing was sent, or no request arrived
    REFUSED = "refused"  # 404 or 409: a stale pin, an image set that is LOCKED or gone
    LOST = "lost"  # sent, and no answer came
    ACCEPTED = "accepted"

    @property
    def may_be_ours(self) -> bool:
        """Whether this run may have produced version pin+1."""
        return self in (Answer.LOST, Answer.ACCEPTED)


class Finding(StrEnum):
    """The state of an image set with regard to version pin+1, which a step produces."""

    BEHIND = "behind"  # the service does not even show the pin
    AT_PIN = "at-pin"  # at the pin, no operation is running
    UNDER_WAY = "under-way"
    UPDATE_FAILED = "update-failed"  # version pin+1 is a failed operation
    GONE = "gone"
    PRODUCED = "produced"  # version pin+1 is complete, its content is not read yet
    EQUAL = "equal"  # version pin+1 has the content that the step expects
    OTHER = "other"  # version pin+1 has other content


@dataclass(frozen=True, slots=True)
class Seen:
    """One image set of a step. `produced` is version pin+1, or None if it does not exist."""

    image_set_id: str
    pin: str
    latest: str
    finding: Finding
    produced: Properties | None = None

    @property
    def moved_on(self) -> bool:
        """Whether there is a version after version pin+1."""
        return bool(self.latest) and int(self.latest) > int(self.pin) + 1


class Next(StrEnum):
    """What to do next. The values that are results end the step."""

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
        """Whether the image set holds what the step asks for."""
        return self in (Next.CONVERGED, Next.ALREADY_CONVERGED)


# The complete table for one image set.
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

# A study-wide call is sent only if each sibling is in one of these states: the service does not
# check the version of a sibling (decision 0002, U12).
READY = frozenset({Finding.AT_PIN})


@dataclass(frozen=True, slots=True)
class Tables:
    """The decision tables of a step. Tests replace them, to prove that the laws find flaws."""

    outcome: Mapping[tuple[Answer, Finding], Next] = field(default_factory=lambda: TABLE)
    ready: Set[Finding] = READY


TABLES = Tables()

# With several image sets, the first of these that occurs decides.
_PRECEDENCE = (Next.WAIT, Next.READ, Next.FAILED, Next.CONFLICT, Next.UNVERIFIED)


def found(pin: str, latest: Properties, produced: Properties | None) -> Finding:
    """Classify one image set without reading its content."""
    now = verdict(latest.state, latest.workflow_status)
    if now is Verdict.GONE:
        return Finding.GONE
    if int(latest.version_id) < int(pin):
        return Finding.BEHIND
    if int(latest.version_id) == int(pin):
        return Finding.UNDER_WAY if now is Verdict.KEEP else Finding.AT_PIN
    if produced is None:
        return Finding.OTHER
    return _PRODUCED[verdict(produced.state, produced.workflow_status)]


_PRODUCED: dict[Verdict, Finding] = {
    Verdict.KEEP: Finding.UNDER_WAY,
    Verdict.DONE: Finding.PRODUCED,
    Verdict.FAILED: Finding.UPDATE_FAILED,
    Verdict.GONE: Finding.GONE,
}


def decide(step: Step, answer: Answer, seen: Mapping[str, Seen], tables: Tables = TABLES) -> Next:
    """Decide about a step from the state of every image set whose version it raises."""
    target = tables.outcome[answer, seen[step.image_set_id].finding]
    if target is Next.FAILED:
        return target  # its siblings were not changed: do not wait for them
    each = {
        _of_image_set(step, member, tables.outcome[answer, member.finding])
        for member in seen.values()
    }
    for first in _PRECEDENCE:
        if first in each:
            return first
    # A study-wide update is atomic: if only some members were changed, it was another update.
    return target if len(each) == 1 else Next.CONFLICT


def _of_image_set(step: Step, seen: Seen, result: Next) -> Next:
    if result is Next.UNVERIFIED and seen.image_set_id != step.image_set_id and seen.moved_on:
        # The service does not check the version of a sibling: another process changed it between
        # our read and our update.
        return Next.CONFLICT
    return result


def explain(decision: Next, seen: Mapping[str, Seen]) -> str:
    """Describe what happened to each image set, at which version; "" if all is as planned.

    Holds no text of the service, which may echo DICOM values: see `service_messages`.
    """
    sentences = (_explain_image_set(member, decision) for member in seen.values())
    return "; ".join(sentence for sentence in sentences if sentence)


def service_messages(seen: Mapping[str, Seen]) -> tuple[tuple[str, str, str], ...]:
    """The image set, version and message of the service for every failed update."""
    return tuple(
        (member.image_set_id, member.produced.version_id, member.produced.message)
        for member in seen.values()
        if member.finding is Finding.UPDATE_FAILED and member.produced is not None
    )


def _explain_image_set(seen: Seen, decision: Next) -> str:
    name, produced = f"image set {seen.image_set_id}", next_version(seen.pin)
    match seen.finding:
        case Finding.GONE:
            return f"{name} no longer exists"
        case Finding.UPDATE_FAILED:
            status = seen.produced.workflow_status if seen.produced else "failed"
            return f"{name}: the failed update created version {produced} ({status})"
        case Finding.OTHER if decision is Next.CONFLICT and seen.moved_on:
            return (
                f"{name} went from version {seen.pin} to {seen.latest}: another process changed "
                f"it, and version {produced} does not have the planned content"
            )
        case Finding.OTHER if decision is Next.CONFLICT:
            return _at_another_version(seen)
        case Finding.OTHER:
            return f"{name}: version {produced} does not have the planned content"
        case Finding.BEHIND if decision is Next.CONFLICT:
            return _at_another_version(seen)
        case Finding.AT_PIN if decision is Next.CONFLICT:
            return f"{name} is still at version {seen.pin}"
        case Finding.EQUAL if seen.moved_on:
            return f"{name}: version {produced} is verified, the latest version is {seen.latest}"
        case _:
            return ""


def _at_another_version(seen: Seen) -> str:
    return (
        f"image set {seen.image_set_id} is at version {seen.latest}, but the plan was made for "
        f"version {seen.pin}"
    )


RESULT: dict[Next, Result] = {
    Next.CONVERGED: Result.CONVERGED,
    Next.ALREADY_CONVERGED: Result.ALREADY_CONVERGED,
    Next.CONFLICT: Result.CONFLICT,
    Next.UNVERIFIED: Result.UNVERIFIED,
    Next.FAILED: Result.FAILED,
}
