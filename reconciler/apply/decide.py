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
    REWRITTEN = "rewritten"  # at the pin, which is not as it was read before the send
    FAILED_AT_PIN = "failed-at-pin"  # an operation failed since the send, and made no version
    UNDER_WAY = "under-way"
    UPDATE_FAILED = "update-failed"  # version pin+1 is a failed operation
    GONE = "gone"
    PRODUCED = "produced"  # version pin+1 is complete, its content is not read yet
    EQUAL = "equal"  # version pin+1 has the content that the step expects
    OTHER = "other"  # version pin+1 has other content
    ELSEWHERE = "elsewhere"  # our update made a later version than pin+1


@dataclass(frozen=True, slots=True)
class Seen:
    """One image set of a step.

    `produced` is version pin+1, or None if it does not exist. With ELSEWHERE it is the version that
    our update made, with REWRITTEN and FAILED_AT_PIN the pin as it is now.
    """

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
    Finding.ELSEWHERE: Next.UNVERIFIED,
}
# At the pin, and changed since the send: that was ours only if ours may have arrived.
_OURS: dict[Finding, Next] = {
    Finding.REWRITTEN: Next.UNVERIFIED,
    Finding.FAILED_AT_PIN: Next.FAILED,
}
_BY_ANSWER: dict[Answer, dict[Finding, Next]] = {
    Answer.ACCEPTED: {
        **_ALWAYS,
        **_OURS,
        Finding.BEHIND: Next.WAIT,  # accepted but not shown yet
        Finding.AT_PIN: Next.WAIT,
        Finding.EQUAL: Next.CONVERGED,
        Finding.OTHER: Next.UNVERIFIED,
    },
    Answer.LOST: {
        **_ALWAYS,
        **_OURS,
        Finding.BEHIND: Next.CONFLICT,
        Finding.AT_PIN: Next.SEND,
        Finding.EQUAL: Next.CONVERGED,
        Finding.OTHER: Next.CONFLICT,
    },
    Answer.REFUSED: {
        **_ALWAYS,
        Finding.BEHIND: Next.CONFLICT,
        Finding.AT_PIN: Next.SEND,
        Finding.REWRITTEN: Next.CONFLICT,
        Finding.FAILED_AT_PIN: Next.CONFLICT,
        Finding.EQUAL: Next.ALREADY_CONVERGED,
        Finding.OTHER: Next.CONFLICT,
    },
}
TABLE: dict[tuple[Answer, Finding], Next] = {
    (answer, found): step
    for answer, row in {**_BY_ANSWER, Answer.NONE: _BY_ANSWER[Answer.REFUSED]}.items()
    for found, step in row.items()
}

# A call is sent only if each image set that it changes is in one of these states: the service does
# not check the version of a sibling (decision 0002, U12), or none at all with force (U30).
READY = frozenset({Finding.AT_PIN})


@dataclass(frozen=True, slots=True)
class Tables:
    """The decision tables of a step. Tests replace them, to prove that the laws find flaws."""

    outcome: Mapping[tuple[Answer, Finding], Next] = field(default_factory=lambda: TABLE)
    ready: Set[Finding] = READY


TABLES = Tables()

# With several image sets, the first of these that occurs decides.
_PRECEDENCE = (Next.WAIT, Next.READ, Next.FAILED, Next.CONFLICT, Next.UNVERIFIED)


# The update of the requested image set is complete.
_COMPLETE = frozenset({Finding.PRODUCED, Finding.EQUAL, Finding.OTHER, Finding.ELSEWHERE})


def found(
    pin: str,
    latest: Properties,
    produced: Properties | None,
    before: Properties | None = None,
) -> Finding:
    """Classify one image set without reading its content.

    `before` is the pin as it was read before the send; None if nothing was sent.
    """
    now = verdict(latest.state, latest.workflow_status)
    if now is Verdict.GONE:
        return Finding.GONE
    if int(latest.version_id) < int(pin):
        return Finding.BEHIND
    if int(latest.version_id) == int(pin):
        return Finding.UNDER_WAY if now is Verdict.KEEP else _at_pin(latest, now, before)
    if produced is None:
        return Finding.OTHER
    return _PRODUCED[verdict(produced.state, produced.workflow_status)]


def _at_pin(latest: Properties, now: Verdict, before: Properties | None) -> Finding:
    """Whether an operation ended at the pin since the send, without a version of its own.

    The pin itself may be a failed version, so its status alone proves nothing.
    """
    if before is None:
        return Finding.AT_PIN
    if (latest.updated_at, latest.message) == (before.updated_at, before.message):
        return Finding.AT_PIN
    return Finding.FAILED_AT_PIN if now is Verdict.FAILED else Finding.REWRITTEN


_PRODUCED: dict[Verdict, Finding] = {
    Verdict.KEEP: Finding.UNDER_WAY,
    Verdict.DONE: Finding.PRODUCED,
    Verdict.FAILED: Finding.UPDATE_FAILED,
    Verdict.GONE: Finding.GONE,
}


def elsewhere(made: Properties | None) -> Finding:
    """Classify the version that the service named as ours, if that is not version pin+1."""
    if made is None:
        return Finding.BEHIND  # not shown yet
    finding = _PRODUCED[verdict(made.state, made.workflow_status)]
    return Finding.ELSEWHERE if finding is Finding.PRODUCED else finding


def decide(step: Step, answer: Answer, seen: Mapping[str, Seen], tables: Tables = TABLES) -> Next:
    """Decide about a step from the state of every image set whose version it raises."""
    target = tables.outcome[answer, seen[step.image_set_id].finding]
    if target is Next.FAILED:
        return target  # its siblings were not changed: do not wait for them
    is_complete = seen[step.image_set_id].finding in _COMPLETE
    each = {
        target
        if member.image_set_id == step.image_set_id
        else _of_sibling(member, tables.outcome[answer, member.finding], is_complete=is_complete)
        for member in seen.values()
    }
    for first in _PRECEDENCE:
        if first in each:
            return first
    # A study-wide update is atomic: if only some members were changed, it was another update.
    return target if len(each) == 1 else Next.CONFLICT


def _of_sibling(seen: Seen, result: Next, *, is_complete: bool) -> Next:
    if result is Next.UNVERIFIED and seen.moved_on:
        # The service does not check the version of a sibling: another process changed it between
        # our read and our update.
        return Next.CONFLICT
    if result is Next.WAIT and seen.finding is Finding.AT_PIN and is_complete:
        # A study-wide update is atomic, so there is nothing to wait for: it left out the sibling.
        return Next.UNVERIFIED
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
        if member.finding in _FAILED and member.produced is not None
    )


_FAILED = frozenset({Finding.UPDATE_FAILED, Finding.FAILED_AT_PIN})


def _explain_image_set(seen: Seen, decision: Next) -> str:
    name, produced = f"image set {seen.image_set_id}", next_version(seen.pin)
    match seen.finding:
        case Finding.GONE:
            return f"{name} no longer exists"
        case Finding.UPDATE_FAILED:
            status = seen.produced.workflow_status if seen.produced else "failed"
            return f"{name}: the failed update created version {_made(seen)} ({status})"
        case Finding.FAILED_AT_PIN if decision is Next.FAILED:
            return f"{name}: the update failed and created no version, it is still {seen.pin}"
        case Finding.FAILED_AT_PIN | Finding.REWRITTEN if decision is Next.CONFLICT:
            return f"{name}: another operation changed version {seen.pin} itself"
        case Finding.REWRITTEN:
            return (
                f"{name}: the update changed version {seen.pin} itself and created no version, so "
                "its content was not compared"
            )
        case Finding.ELSEWHERE:
            return _over_another_change(seen)
        case Finding.PRODUCED if decision is Next.FAILED:
            return f"{name} is at version {produced} now, although the update failed"
        case Finding.PRODUCED:
            return f"{name}: the content of version {produced} cannot be read yet"
        case Finding.AT_PIN if decision is Next.UNVERIFIED:
            return f"{name} is still at version {seen.pin}: the study-wide update left it out"
        case Finding.OTHER if decision is Next.CONFLICT and seen.moved_on:
            return (
                f"{name} went from version {seen.pin} to {seen.latest}: another process changed "
                f"it, and version {produced} does not have the planned content"
            )
        case Finding.OTHER if decision is Next.CONFLICT:
            return _at_another_version(seen)
        case Finding.OTHER if seen.produced is None:
            return f"{name} is at version {seen.latest}, and it has no version {produced}"
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


def _over_another_change(seen: Seen) -> str:
    return (
        f"image set {seen.image_set_id}: our update created version {_made(seen)} over a change "
        f"of another process, which made version {next_version(seen.pin)}"
    )


def _made(seen: Seen) -> str:
    return seen.produced.version_id if seen.produced else next_version(seen.pin)


def _at_another_version(seen: Seen) -> str:
    return (
        f"image set {seen.image_set_id} is at version {seen.latest}, but the plan was made for "
        f"version {seen.pin}"
    )


RESULT: dict[Next, Result] = {
    Next.READ: Result.UNRESOLVED,  # its content cannot be read yet
    Next.CONVERGED: Result.CONVERGED,
    Next.ALREADY_CONVERGED: Result.ALREADY_CONVERGED,
    Next.CONFLICT: Result.CONFLICT,
    Next.UNVERIFIED: Result.UNVERIFIED,
    Next.FAILED: Result.FAILED,
}
