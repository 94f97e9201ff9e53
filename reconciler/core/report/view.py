"""What a reader of a report sees: all image sets together, most important first. No DICOM value."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.errors import Place
from reconciler.core.model.address import Level
from reconciler.core.model.change import Op
from reconciler.core.model.plan import Basis
from reconciler.core.review.applied import Mark, ShownProblem
from reconciler.core.review.overview import Reach


@dataclass(frozen=True, slots=True)
class ImageSetEnd:
    """How an image set ended: `word` is the gravest outcome of its calls, or a status of the plan.

    `pin` is the version before, as planned, `version_id` the version that was seen with the planned
    content, "" if none was seen. `message` and `hint` are of that outcome. `lines` are the consent
    to add to the manifest.
    """

    datastore: str
    image_set_id: str
    word: str
    mark: Mark
    pin: str
    version_id: str
    message: str
    hint: str
    lines: tuple[str, ...]
    place: Place | None


@dataclass(frozen=True, slots=True)
class End:
    """Image sets that ended alike, for the same reason.

    `message` and `hint` are those of the first image set; `varies` says that those of the others
    name other image sets or versions. `first` are the first image sets; there are none for a data
    store that was not read. `place` is the first line that asks, `places` the number of lines.
    """

    word: str
    mark: Mark
    message: str
    hint: str
    varies: bool
    lines: tuple[str, ...]
    image_sets: int
    first: tuple[ImageSetEnd, ...]
    place: Place | None
    places: int


@dataclass(frozen=True, slots=True)
class Done:
    """Identical edits that were made and read back. `name` is as in `ShownEdit`."""

    op: Op
    level: Level
    name: str
    reach: Reach


@dataclass(frozen=True, slots=True)
class ReportView:
    """`verdict` says in sentences how the apply ended, `next` what to do, for each word.

    `errors` are those of the run as a whole. `wrong` are image sets to which a call was sent and
    that were not seen as planned, `unsent` those to which none was sent. `other` are image sets
    that are as planned without an edit of this run. `recording` are sentences. `calls` is "" where
    the report was narrowed. `ends` are all image sets, the gravest first. `total` and `good` count
    image sets.
    """

    basis: Basis
    verdict: tuple[str, ...]
    next: tuple[tuple[str, str], ...]
    errors: tuple[ShownProblem, ...]
    wrong: tuple[End, ...]
    unsent: tuple[End, ...]
    done: tuple[Done, ...]
    other: tuple[End, ...]
    recording: tuple[str, ...]
    calls: str
    ends: tuple[ImageSetEnd, ...]
    total: int
    good: int
