"""The review of an apply: all that a renderer of outcomes gets.

Messages are ours and hold no DICOM value. The service's own text may echo values, so a review has
it only where its output may show it (`ShownOutcome.said`). Of a call it has neither the values nor
the digests of the content, which are not keyed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.errors import Place
from reconciler.core.model.address import Level
from reconciler.core.model.change import Op
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.outcome import Landed, Result
from reconciler.core.model.plan import Basis, Status, Unread
from reconciler.core.model.results import Published
from reconciler.core.review.shown import ShownValue

_NEXT: dict[Result, str] = {
    Result.CONFLICT: "Another process changed the image set. Run `reconcile plan` again.",
    Result.FAILED: "Fix the error, then run `reconcile plan` again.",
    Result.UNVERIFIED: "Run `reconcile plan`: it shows what is different, and how to accept it.",
    Result.UNRESOLVED: "Run the same command again to find out how the update ended.",
    Result.STALE: "The plan is out of date. Plan the newest commit, then apply that plan.",
    Result.SUPERSEDED: "Nothing: the apply of the newer commit decides.",
    Result.UNREVIEWED: "Merge a pull request with a fresh review of these changes.",
    Result.NOT_ATTEMPTED: "Run the same command again to continue.",
}


class Mark(StrEnum):
    """How an output marks a line of a report, whatever its colours and signs are."""

    GOOD = "good"
    ERROR = "error"
    UNKNOWN = "unknown"
    PENDING = "pending"


def mark_of(end: Result | Status) -> Mark:
    """The mark of an outcome, or of the status of an action that the plan held back."""
    if end.is_good:
        return Mark.GOOD
    if end.is_error:
        return Mark.ERROR
    return Mark.UNKNOWN if end is Result.UNRESOLVED else Mark.PENDING


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A `Step` without its values. `datastore` is the name of the data store."""

    datastore: str
    datastore_id: str
    image_set_id: str
    pin: str
    force: bool
    study_wide: bool
    revert_to: str | None


@dataclass(frozen=True, slots=True)
class ShownEdit:
    """Edits of one attribute, without values, at `places` places of one image set.

    `name` is the keyword or the tag; "" for a whole series or instance, and for a key that is
    neither: it may hold the name of a patient.
    """

    op: Op
    level: Level
    name: str
    places: int


@dataclass(frozen=True, slots=True)
class ShownMember:
    """One image set whose version a call raises. `pin` is its version before, as planned.

    `version_id` is the version that was seen with the planned content, "" if none was seen. `edits`
    are all edits that the plan makes on it, if this is its last call in the plan; else ().
    """

    image_set_id: str
    pin: str
    version_id: str
    edits: tuple[ShownEdit, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownOutcome:
    """The end of a step. `said` is the service's own text; None if this output may not show it.

    `members` are all image sets whose version the call raises, sorted: for a study-wide call, all
    primary image sets of the study, each with its own versions. `place` is the first line that asks
    for the action; None if that is not known.
    """

    call: ShownCall
    result: Result
    message: str
    members: tuple[ShownMember, ...]
    said: ShownValue | None
    place: Place | None = None

    @property
    def mark(self) -> Mark:
        """How an output marks it."""
        return mark_of(self.result)


@dataclass(frozen=True, slots=True)
class ShownProblem:
    """Why something was not done, and what to do next; "" if that is known."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ShownConsent:
    """A hazard without consent, and the line to add to the manifest."""

    hazard: str
    line: str


@dataclass(frozen=True, slots=True)
class ShownHeld:
    """An action that the plan held back. `reasons` and `missing` say why, each reason once.

    `missing` are the hazards without consent. `image_set_ids` are the image sets that it stands
    for; `image_set_id` and its version `pin` identify it.
    """

    datastore: str
    datastore_id: str
    image_set_id: str
    pin: str
    image_set_ids: tuple[str, ...]
    status: Status
    reasons: tuple[ShownProblem, ...]
    missing: tuple[ShownConsent, ...]
    place: Place | None = None

    @property
    def mark(self) -> Mark:
        """How an output marks it."""
        return mark_of(self.status)

    @property
    def consents(self) -> tuple[str, ...]:
        """The lines to add to the manifests, each once: a line may answer several hazards."""
        return tuple(dict.fromkeys(one.line for one in self.missing))


def _is_key(path: str) -> bool:
    return path.rpartition("/")[2] == KEY_FILE


@dataclass(frozen=True, slots=True)
class ShownRecords:
    """What the run recorded. `paths` are the files that changed, with a new key among them.

    `commit` is "" without a new commit. `missing` are the image sets whose records could not be
    written. `published` states where the records are.
    """

    paths: tuple[str, ...]
    commit: str
    missing: tuple[str, ...] = ()
    published: Published = field(default=Published())

    @property
    def files(self) -> int:
        """The number of records among the files."""
        return sum(not _is_key(path) for path in self.paths)

    @property
    def has_new_key(self) -> bool:
        """Whether the run created the key of the repository."""
        return any(map(_is_key, self.paths))

    @property
    def is_of_earlier_run(self) -> bool:
        """Whether the commit holds only what an earlier run had recorded."""
        return bool(self.commit) and not self.paths


@dataclass(frozen=True, slots=True)
class AppliedReview:
    """What became of a plan, as it is reported.

    `outcomes` are all ended steps in the order of their ends. `steps` is the number of planned
    calls, `sent` that of the calls that were made, in `seconds`. `plan_digest` is keyed, or "".
    `exit_code` is that of the run; a signal takes precedence over it. `unread` are the data stores
    that the plan could not read.
    """

    plan_digest: str
    basis: Basis
    outcomes: tuple[ShownOutcome, ...]
    held: tuple[ShownHeld, ...]
    recovered: tuple[Landed, ...]
    steps: int
    sent: int
    seconds: float
    records: ShownRecords
    problems: tuple[ShownProblem, ...]
    exit_code: int
    unread: tuple[Unread, ...] = ()

    @property
    def results(self) -> tuple[tuple[Result, int], ...]:
        """The number of steps of every result, also of those that did not occur."""
        found = Counter(outcome.result for outcome in self.outcomes)
        return tuple((result, found[result]) for result in Result)

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """The words and numbers of the summary, with held actions and what was not read."""
        return tuple(self._counts())

    def _counts(self) -> Iterator[tuple[str, int]]:
        """In the order of `Result`; then the statuses of held actions, then what was not read."""
        words = Counter({str(result): count for result, count in self.results if count})
        words.update(sorted(str(held.status) for held in self.held))
        yield from words.items()
        if self.unread:
            yield "not read", sum(one.image_sets for one in self.unread)

    @property
    def summary(self) -> str:
        """`Apply: 3 converged, 1 blocked.`"""
        if not self.counts:
            return "Apply: nothing to do."
        return f"Apply: {', '.join(f'{count:,} {word}' for word, count in self.counts)}."

    @property
    def advice(self) -> tuple[tuple[Result, str], ...]:
        """What to do next after each result that needs it."""
        found = {outcome.result for outcome in self.outcomes}
        return tuple((result, text) for result, text in _NEXT.items() if result in found)

    def shortened(self, most_good: int) -> tuple[tuple[ShownOutcome, ...], int]:
        """The outcomes with at most so many good ones, and the number of those left out."""
        kept: list[ShownOutcome] = []
        good = 0
        for outcome in self.outcomes:
            good += outcome.result.is_good
            if not outcome.result.is_good or good <= most_good:
                kept.append(outcome)
        return tuple(kept), len(self.outcomes) - len(kept)
