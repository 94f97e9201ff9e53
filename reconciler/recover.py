"""What became of an attempt of an apply that was killed: looked up in the service, nothing sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.errors import NotFoundError
from reconciler.model.attempt import Attempt
from reconciler.model.observed import Properties
from reconciler.model.outcome import Landed
from reconciler.model.value import Document
from reconciler.ports import ImageSets
from reconciler.wait import Wait, verdict


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


def recover(
    port: ImageSets, attempt: Attempt, content_digest: Callable[[Document], str]
) -> Recovered:
    """Look once. ServiceError where the service does not tell."""
    version, digest = attempt.last
    try:
        latest = port.get(attempt.image_set_id)
        if int(latest.version_id) < int(version):
            return Recovered(_before_the_last(attempt, latest))
        made = latest if latest.version_id == version else _listed(port, attempt)
        if made is None or verdict(made.state, made.workflow_status) is not Wait.DONE:
            return Recovered(_at_the_last(made))
        if content_digest(port.metadata(attempt.image_set_id, version)) != digest:
            return Recovered(End.OVER)
    except NotFoundError:
        return Recovered(End.OVER)
    return Recovered(
        End.LANDED, Landed(attempt.image_set_id, version, attempt.before, made.updated_at)
    )


def _before_the_last(attempt: Attempt, latest: Properties) -> End:
    if verdict(latest.state, latest.workflow_status) is Wait.KEEP:
        return End.UNDER_WAY
    return End.PARTLY if latest.version_id in dict(attempt.versions) else End.OVER


def _at_the_last(made: Properties | None) -> End:
    keep = made is not None and verdict(made.state, made.workflow_status) is Wait.KEEP
    return End.UNDER_WAY if keep else End.OVER


def _listed(port: ImageSets, attempt: Attempt) -> Properties | None:
    """A version that others have come after."""
    rows = port.versions(attempt.image_set_id)
    return next((row for row in rows if row.version_id == attempt.last[0]), None)
