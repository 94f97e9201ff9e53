"""The outcomes of planned steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.model.plan import Step


class Result(StrEnum):
    """The result of a planned step."""

    CONVERGED = "converged"
    ALREADY_CONVERGED = "already-converged"
    CONFLICT = "conflict"
    FAILED = "failed"
    UNVERIFIED = "unverified"
    UNRESOLVED = "unresolved"
    BLOCKED = "blocked"
    STALE = "stale"
    SUPERSEDED = "superseded"
    UNREVIEWED = "unreviewed"
    NOT_ATTEMPTED = "not-attempted"

    @property
    def is_good(self) -> bool:
        """Whether the image sets have the content that the step asks for."""
        return self in _GOOD

    @property
    def is_error(self) -> bool:
        """Whether a person must look at it.

        What no review holds fails a run only if the merged commits touched it: then it is one of
        the problems of the run. What a newer commit supersedes is left to the apply of that commit.
        """
        return not self.is_good and not self.is_pending and self not in _NOT_TO_EXECUTE

    @property
    def is_pending(self) -> bool:
        """Whether running the same command again continues the step."""
        return self in _PENDING

    @property
    def stops_a_run(self) -> bool:
        """Whether `--on-error=stop` sends nothing new after it.

        Steps that were held back or not attempted do not stop a run.
        """
        return not self.is_good and self not in _HELD_BACK

    @property
    def counts_as_change(self) -> bool:
        """Whether it counts for `--limit`: something was, or may have been, changed."""
        return self not in _UNTOUCHED


_GOOD = frozenset({Result.CONVERGED, Result.ALREADY_CONVERGED})
_PENDING = frozenset({Result.UNRESOLVED, Result.NOT_ATTEMPTED})
_NOT_TO_EXECUTE = frozenset({Result.UNREVIEWED, Result.SUPERSEDED})
_HELD_BACK = _NOT_TO_EXECUTE | {Result.BLOCKED, Result.NOT_ATTEMPTED}
_UNTOUCHED = _HELD_BACK | {Result.ALREADY_CONVERGED, Result.STALE}


@dataclass(frozen=True, slots=True, order=True)
class Landed:
    """A version that a step created and that was seen. Records are made from it."""

    image_set_id: str
    version_id: str
    previous_version_id: str
    updated_at: float | None
    created_at: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one step. `message` is our own text and contains no value.

    `unverified` are the versions of image sets that were read back with other content than planned.
    `said` is the service's own text. It may contain DICOM values, so it is printed only where
    values may be shown, and never stored.
    """

    step: Step
    result: Result
    message: str = ""
    landed: tuple[Landed, ...] = field(default=())
    said: str = field(default="", repr=False)
    unverified: tuple[Landed, ...] = ()


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Why a step is not sent any more: newer commits ask for something else, or may do so."""

    result: Result
    reason: str


@dataclass(frozen=True, slots=True)
class Started:
    """A step is about to be sent."""

    step: Step
