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
# AWS does not document how soon a new version and its content are shown (decision 0002, U29). So a
# read that is unlike the plan is repeated after this time before it ends a step.
SECOND_LOOK_SECONDS = 5.0


class Verdict(StrEnum):
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
_WHEN_ACTIVE: dict[str, Verdict] = {
    "CREATED": Verdict.DONE,
    "COPIED": Verdict.DONE,
    "COPYING": Verdict.KEEP,
    "COPYING_WITH_READ_ONLY_ACCESS": Verdict.KEEP,
    "COPY_FAILED": Verdict.FAILED,
    "UPDATING": Verdict.KEEP,
    "UPDATING_FOR_STUDY_CONSISTENCY": Verdict.KEEP,
    "UPDATED": Verdict.DONE,
    "UPDATE_FAILED": Verdict.FAILED,
    "DELETING": Verdict.KEEP,
    "DELETED": Verdict.GONE,
    "IMPORTING": Verdict.KEEP,
    "IMPORTED": Verdict.DONE,
    "IMPORT_FAILED": Verdict.FAILED,
    "": Verdict.DONE,  # the model does not require a status
}

WORKFLOW_STATUSES = frozenset(_WHEN_ACTIVE)

TABLE: dict[tuple[str, str], Verdict] = {
    **{(State.ACTIVE, status): verdict for status, verdict in _WHEN_ACTIVE.items()},
    **{(State.LOCKED, status): Verdict.KEEP for status in WORKFLOW_STATUSES},
    **{(State.DELETED, status): Verdict.GONE for status in WORKFLOW_STATUSES},
}


def verdict(state: str, workflow_status: str) -> Verdict:
    """Return whether to keep waiting, or whether the version is done, failed or gone.

    An unknown status or state is KEEP: waiting ends at `lockTimeout` as `unresolved`. A guess could
    record a change that never happened.
    """
    return TABLE.get((state, workflow_status), Verdict.KEEP)


def pauses() -> Iterator[float]:
    """Yield the seconds to wait between two reads, from FIRST_PAUSE up to LONGEST_PAUSE."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * PAUSE_GROWTH)
