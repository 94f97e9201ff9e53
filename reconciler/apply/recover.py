"""What became of an attempt of an apply that was killed: looked up in the service, nothing sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.apply.run import Run
from reconciler.apply.step import version_in_history
from reconciler.core.dicom.content import content_digest
from reconciler.core.errors import NotFoundError, ServiceError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.observed import Properties
from reconciler.core.model.outcome import Landed
from reconciler.core.model.workflow_status import Wait, pauses, verdict
from reconciler.core.ports import ImageSets


class End(StrEnum):
    """How far an attempt got."""

    LANDED = "landed"  # its last version is there, with the content that was meant
    PARTLY = "partly"  # at rest at one of its versions: whoever asks goes on from there
    UNDER_WAY = "under-way"  # LOCKED: look again
    OVER = "over"  # never sent, failed, or not ours: nothing to record, nothing to wait for


@dataclass(frozen=True, slots=True)
class Recovered:
    """An attempt and its end; `landed` is what a record is made of, where it has landed."""

    end: End
    landed: Landed | None = None


def ends(
    left: Iterable[Attempt],
    port: Callable[[Attempt], ImageSets],
    run: Run,
    *,
    patience: float,
) -> Iterator[tuple[Attempt, Landed | None]]:
    """The attempts that have come to their end, and what they made of the image set, if anything.

    An attempt that is still under way is awaited. After `patience` seconds, or once nothing may be
    sent any more, the rest is left to a later run. So is an attempt that is half way, or about
    which the service does not answer.
    """
    waiting, pause = list(left), pauses()
    deadline = run.clock.now() + patience
    while waiting:
        again = []
        for attempt in waiting:
            # Between any two: they may be many, or the network slow.
            if run.reason() or run.clock.now() > deadline:
                return
            try:
                found = recover(port(attempt), attempt)
            except ServiceError:
                continue
            if found.end in (End.LANDED, End.OVER):
                yield attempt, found.landed
            elif found.end is End.UNDER_WAY:
                again.append(attempt)
        waiting = again
        if not waiting or run.clock.now() >= deadline:
            return
        run.sending.wait(next(pause))


def recover(port: ImageSets, attempt: Attempt) -> Recovered:
    """Look once. ServiceError where the service does not tell."""
    version, digest = attempt.last
    try:
        latest = port.get(attempt.image_set_id)
        if int(latest.version_id) < int(version):
            return Recovered(_before_the_last(attempt, latest))
        made = version_in_history(port, latest, version)
        end = _ENDS[verdict(made.state, made.workflow_status)] if made else End.OVER
        if made is None or end is not End.LANDED:
            return Recovered(end)
        if content_digest(port.metadata(attempt.image_set_id, version)) != digest:
            return Recovered(End.OVER)
    except NotFoundError:
        return Recovered(End.OVER)
    landed = Landed(attempt.image_set_id, version, attempt.before, made.updated_at, made.created_at)
    return Recovered(End.LANDED, landed)


# What the last version of an attempt comes to, before its content is looked at.
_ENDS: dict[Wait, End] = {
    Wait.KEEP: End.UNDER_WAY,
    Wait.DONE: End.LANDED,
    Wait.FAILED: End.OVER,
    Wait.GONE: End.OVER,
}


def _before_the_last(attempt: Attempt, latest: Properties) -> End:
    if verdict(latest.state, latest.workflow_status) is Wait.KEEP:
        return End.UNDER_WAY
    return End.PARTLY if latest.version_id in dict(attempt.versions) else End.OVER
