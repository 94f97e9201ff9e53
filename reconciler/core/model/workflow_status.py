"""What a state and a workflow status of an image set mean to somebody who waits: a total table.

healthimaging has no waiters in its model, so GetImageSet is polled; these are the answers that
end the polling (AWS HealthImaging developer guide: Modifying image sets).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0
PAUSE_GROWTH = 1.6


class Wait(StrEnum):
    """What a look at one version of an image set says."""

    KEEP = "keep"  # something is under way: look again
    DONE = "done"  # at rest, the operation took effect
    FAILED = "failed"  # at rest, the operation did not take effect; `message` says why
    GONE = "gone"  # deleted


class State(StrEnum):
    """`imageSetState` of GetImageSet."""

    ACTIVE = "ACTIVE"
    LOCKED = "LOCKED"
    DELETED = "DELETED"


# The status of a version that is at rest. Under way while ACTIVE is not documented: the two
# members are not said to change together, so a status that is still under way counts.
_AT_REST: dict[str, Wait] = {
    "CREATED": Wait.DONE,
    "COPIED": Wait.DONE,
    "COPYING": Wait.KEEP,
    "COPYING_WITH_READ_ONLY_ACCESS": Wait.KEEP,
    "COPY_FAILED": Wait.FAILED,
    "UPDATING": Wait.KEEP,
    "UPDATING_FOR_STUDY_CONSISTENCY": Wait.KEEP,
    "UPDATED": Wait.DONE,
    "UPDATE_FAILED": Wait.FAILED,
    "DELETING": Wait.KEEP,
    "DELETED": Wait.GONE,
    "IMPORTING": Wait.KEEP,
    "IMPORTED": Wait.DONE,
    "IMPORT_FAILED": Wait.FAILED,
    "": Wait.DONE,  # the model does not require a status
}

WORKFLOW_STATUSES = frozenset(_AT_REST)

TABLE: dict[tuple[str, str], Wait] = {
    **{(State.ACTIVE, status): verdict for status, verdict in _AT_REST.items()},
    **{(State.LOCKED, status): Wait.KEEP for status in WORKFLOW_STATUSES},
    **{(State.DELETED, status): Wait.GONE for status in WORKFLOW_STATUSES},
}


def verdict(state: str, workflow_status: str) -> Wait:
    """Keep waiting, done, failed or gone.

    A status or state that a later model adds is KEEP: waiting ends at `lockTimeout` with an
    honest `unresolved`, while guessing might record what never happened.
    """
    return TABLE.get((state, workflow_status), Wait.KEEP)


def pauses() -> Iterator[float]:
    """Seconds to wait between looks: soon at first, every few seconds in the end."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * PAUSE_GROWTH)
