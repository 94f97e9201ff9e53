"""What became of a planned step."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.model.plan import Step


class Result(StrEnum):
    """The end of a planned step (design: Apply)."""

    CONVERGED = "converged"
    ALREADY_CONVERGED = "already-converged"
    CONFLICT = "conflict"
    FAILED = "failed"
    UNVERIFIED = "unverified"
    UNRESOLVED = "unresolved"
    BLOCKED = "blocked"
    STALE = "stale"
    NOT_ATTEMPTED = "not-attempted"


@dataclass(frozen=True, slots=True, order=True)
class Landed:
    """A version that a step produced and that was seen: what a record is made of."""

    image_set_id: str
    version_id: str
    previous_version_id: str
    updated_at: float | None
    created_at: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one step. `message` is ours and holds no value.

    `said` is the service's own text. It may echo DICOM values, so it is printed only where values
    may be seen, and never stored.
    """

    step: Step
    result: Result
    message: str = ""
    landed: tuple[Landed, ...] = field(default=())
    said: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Started:
    """A step is about to be sent."""

    step: Step
