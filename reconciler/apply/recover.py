"""Find out how the attempts of a killed apply ended. Reads from the service, sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.apply.content import content
from reconciler.apply.run import Run
from reconciler.apply.step import version_in_history
from reconciler.core.errors import NotFoundError, ServiceError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.observed import Properties
from reconciler.core.model.outcome import Landed
from reconciler.core.model.workflow_status import SECOND_LOOK_SECONDS, Verdict, pauses, verdict
from reconciler.core.ports import ImageSets


class End(StrEnum):
    """How far an attempt got."""

    LANDED = "landed"  # its last version exists and has the planned content
    PARTLY = "partly"  # ended at an earlier version of its own: the next apply continues
    UNDER_WAY = "under-way"  # LOCKED: check again
    UNLIKE = "unlike"  # its last version has other content, or none yet: check once again
    OVER = "over"  # never sent, failed, or not ours: nothing to record, nothing to wait for


@dataclass(frozen=True, slots=True)
class Recovered:
    """The end of an attempt. If it has landed, `landed` is the version to record."""

    end: End
    landed: Landed | None = None


def ends(
    left: Iterable[Attempt],
    port: Callable[[Attempt], ImageSets],
    run: Run,
    *,
    patience: float,
) -> Iterator[tuple[Attempt, Landed | None]]:
    """Yield every attempt that has ended, with the version that it made, or None.

    Waits for attempts that are under way, at most `patience` seconds and only while the run may
    send. Content that differs is read once again, since reads may lag behind. The other attempts
    are left to a later run. So are attempts that ended at an earlier version, and attempts about
    which the service does not answer.
    """
    waiting, pause = list(left), pauses()
    began = run.clock.now()
    deadline = began + patience
    while waiting:
        again = []
        for attempt in waiting:
            # Checked for each attempt: there may be many, or the network may be slow.
            if run.reason() or run.clock.now() > deadline:
                return
            try:
                found = recover(port(attempt), attempt)
            except ServiceError:
                continue
            is_second_look = run.clock.now() >= began + SECOND_LOOK_SECONDS
            if found.end in (End.LANDED, End.OVER) or (found.end is End.UNLIKE and is_second_look):
                yield attempt, found.landed
            elif found.end in (End.UNDER_WAY, End.UNLIKE):
                again.append(attempt)
        waiting = again
        if not waiting or run.clock.now() >= deadline:
            return
        run.sending.wait(next(pause))


def recover(port: ImageSets, attempt: Attempt) -> Recovered:
    """Check an attempt once. Raises ServiceError if the service does not answer."""
    version, _ = attempt.last
    try:
        latest = port.get(attempt.image_set_id)
        if int(latest.version_id) < int(version):
            return Recovered(_before_the_last(attempt, latest))
        made = version_in_history(port, latest, version)
        end = _ENDS[verdict(made.state, made.workflow_status)] if made else End.OVER
        if made is None or end is not End.LANDED:
            return Recovered(end)
    except NotFoundError:
        return Recovered(End.OVER)
    if not _holds(port, attempt):
        return Recovered(End.UNLIKE)
    landed = Landed(attempt.image_set_id, version, attempt.before, made.updated_at, made.created_at)
    return Recovered(End.LANDED, landed)


def _holds(port: ImageSets, attempt: Attempt) -> bool:
    version, digest = attempt.last
    before = attempt.versions[-2][0] if len(attempt.versions) > 1 else attempt.before
    try:
        return content(port, attempt.image_set_id, version, digest, before).is_expected
    except NotFoundError:
        return False


# How an attempt has ended, by its last version, before the content is read.
_ENDS: dict[Verdict, End] = {
    Verdict.KEEP: End.UNDER_WAY,
    Verdict.DONE: End.LANDED,
    Verdict.FAILED: End.OVER,
    Verdict.GONE: End.OVER,
}


def _before_the_last(attempt: Attempt, latest: Properties) -> End:
    if verdict(latest.state, latest.workflow_status) is Verdict.KEEP:
        return End.UNDER_WAY
    return End.PARTLY if latest.version_id in dict(attempt.versions) else End.OVER
