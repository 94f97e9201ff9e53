"""The review of an apply: all that a renderer of outcomes gets.

Messages are ours and hold no DICOM value. The service's own text may echo values, so a review has
it only where its output may show it (`ShownOutcome.said`). Of a call it has neither the values nor
the digests of the content, which are not keyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.model.outcome import Landed, Result
from reconciler.core.model.plan import Basis, HazardUse, Status, Unread
from reconciler.core.review.shown import ShownValue


class Mark(StrEnum):
    """How an output marks a line of a report, whatever its colours and signs are."""

    GOOD = "good"
    ERROR = "error"
    UNKNOWN = "unknown"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A `Step` without its values."""

    image_set_id: str
    pin: str
    force: bool
    study_wide: bool
    revert_to: str | None


@dataclass(frozen=True, slots=True)
class ShownMember:
    """One image set whose version a call raises. `pin` is its version before, as planned.

    `version_id` is the version that was seen with the planned content, "" if none was seen.
    """

    image_set_id: str
    pin: str
    version_id: str


@dataclass(frozen=True, slots=True)
class ShownOutcome:
    """The end of a step. `said` is the service's own text; None if this output may not show it.

    `members` are all image sets whose version the call raises, sorted: for a study-wide call, all
    primary image sets of the study, each with its own versions.
    """

    call: ShownCall
    result: Result
    mark: Mark
    message: str
    members: tuple[ShownMember, ...]
    said: ShownValue | None


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """Why something was not done, and what to do next; "" if that is known."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ShownHeld:
    """An action that the plan held back. `reasons` and `missing` say why, each reason once.

    `missing` are the hazards without consent.
    """

    image_set_id: str
    pin: str
    status: Status
    mark: Mark
    reasons: tuple[ShownProblem, ...]
    missing: tuple[HazardUse, ...]

    @property
    def consents(self) -> tuple[str, ...]:
        """The lines to add to the manifests, each once: a line may answer several hazards."""
        return tuple(dict.fromkeys(use.consent for use in self.missing))


@dataclass(frozen=True, slots=True)
class ShownRecords:
    """What the run recorded. `paths` are the files that changed, with a new key among them.

    `files` is the number of records among them. `commit` is "" without a new commit.
    """

    paths: tuple[str, ...]
    files: int
    has_new_key: bool
    commit: str

    @property
    def is_of_earlier_run(self) -> bool:
        """Whether the commit holds only what an earlier run had recorded."""
        return bool(self.commit) and not self.paths


@dataclass(frozen=True, slots=True)
class AppliedReview:
    """What became of a plan, as it is reported.

    `outcomes` are all ended steps in the order of their ends. `results` counts every result, also
    those that did not occur. `counts` are the words and numbers of the `summary`; held actions and
    what was not read are included. `advice` is what to do next after each result that needs it.
    `plan_digest` is keyed, or "". `exit_code` is that of the run; a signal takes precedence over
    it. `unread` are the data stores that the plan could not read.
    """

    plan_digest: str
    basis: Basis
    outcomes: tuple[ShownOutcome, ...]
    held: tuple[ShownHeld, ...]
    recovered: tuple[Landed, ...]
    steps: int
    results: tuple[tuple[Result, int], ...]
    counts: tuple[tuple[str, int], ...]
    summary: str
    advice: tuple[tuple[Result, str], ...]
    records: ShownRecords
    problems: tuple[ShownProblem, ...]
    exit_code: int
    unread: tuple[Unread, ...] = ()

    def shortened(self, most_good: int) -> tuple[tuple[ShownOutcome, ...], int]:
        """The outcomes with at most so many good ones, and the number of those left out."""
        kept: list[ShownOutcome] = []
        good = 0
        for outcome in self.outcomes:
            good += outcome.result.is_good
            if not outcome.result.is_good or good <= most_good:
                kept.append(outcome)
        return tuple(kept), len(self.outcomes) - len(kept)
