"""Decides by the state and the workflow status of an image set whether to keep waiting.

The service model has no waiters, so GetImageSet is polled. The table covers all states.

Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0
PAUSE_GROWTH = 1.6


class Wait(StrEnum):
    """The decision after reading one version of an image set."""

    KEEP = "keep"  # an operation is in progress: read again
    DONE = "done"  # ACTIVE, and the operation took effect
    FAILED = "failed"  # ACTIVE, and the operation failed; `message` says why
    GONE = "gone"  # deleted


class State(StrEnum):
    """`imageSetState` of GetImageSet."""

    ACTIVE = "ACTIVE"
    LOCKED = "LOCKED"
    DELETED = "DELETED"


# The workflow status of an ACTIVE version. AWS does not document whether state and status change
# together, so a status in progress counts even if the state is ACTIVE.
_WHEN_ACTIVE: dict[str, Wait] = {
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

WORKFLOW_STATUSES = frozenset(_WHEN_ACTIVE)

TABLE: dict[tuple[str, str], Wait] = {
    **{(State.ACTIVE, status): verdict for status, verdict in _WHEN_ACTIVE.items()},
    **{(State.LOCKED, status): Wait.KEEP for status in WORKFLOW_STATUSES},
    **{(State.DELETED, status): Wait.GONE for status in WORKFLOW_STATUSES},
}


def verdict(state: str, workflow_status: str) -> Wait:
    """Return whether to keep waiting, or whether the version is done, failed or gone.

    An unknown status or state is KEEP: waiting ends at `lockTimeout` as `unresolved`. A guess could
    record a change that never happened.
    """
    return TABLE.get((state, workflow_status), Wait.KEEP)


def pauses() -> Iterator[float]:
    """Yield the seconds to wait between two reads, from FIRST_PAUSE up to LONGEST_PAUSE."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * PAUSE_GROWTH)
