"""What became of a planned step."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.model.plan import Step


class Result(StrEnum):
    """The end of a planned step."""

    CONVERGED = "converged"
    ALREADY_CONVERGED = "already-converged"
    CONFLICT = "conflict"
    FAILED = "failed"
    UNVERIFIED = "unverified"
    UNRESOLVED = "unresolved"
    BLOCKED = "blocked"
    STALE = "stale"
    NOT_ATTEMPTED = "not-attempted"

    @property
    def is_good(self) -> bool:
        """Whether the image sets hold what the step asks for."""
        return self in _GOOD

    @property
    def is_error(self) -> bool:
        """Whether a person has to look at it."""
        return not self.is_good and not self.is_pending

    @property
    def is_pending(self) -> bool:
        """Whether the same command again goes on from there."""
        return self in _PENDING

    @property
    def stops_a_run(self) -> bool:
        """Whether `--on-error=stop` sends nothing new after it.

        What was held back before anything was sent, or was not attempted, does not.
        """
        return not self.is_good and self not in _HELD_BACK

    @property
    def counts_as_change(self) -> bool:
        """Whether it takes from `--limit`: something was, or may have been, changed."""
        return self not in _UNTOUCHED


_GOOD = frozenset({Result.CONVERGED, Result.ALREADY_CONVERGED})
_PENDING = frozenset({Result.UNRESOLVED, Result.NOT_ATTEMPTED})
_HELD_BACK = frozenset({Result.BLOCKED, Result.NOT_ATTEMPTED})
_UNTOUCHED = _HELD_BACK | {Result.ALREADY_CONVERGED, Result.STALE}


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
