"""What is compared, and what comes out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.core.model.ask import ImageSetAsk, Source
from reconciler.core.model.change import Block, Change, Note
from reconciler.core.model.observed import Properties, Unread
from reconciler.core.model.plan import Status
from reconciler.core.model.record import Entry
from reconciler.core.model.value import Document


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read about one image set.

    `properties` is None where the service has no such image set. `document` is None where it was
    not needed: busy, gone, or unchanged since the record. `target` belongs to a revert. `origin` is
    the version before an apply that was killed when it had made this one. `unread` says why
    something needed could not be read. `good_version` is the version whose document stands for that
    of a failed one that has none; else "".
    """

    properties: Properties | None
    document: Document | None = None
    entry: Entry | None = None
    target: Document | None = None
    target_properties: Properties | None = None
    origin: str = ""
    unread: Unread | None = None
    good_version: str = ""


@dataclass(frozen=True, slots=True)
class SourcedChange:
    """A change and the manifests that ask for it: theirs is the consent."""

    change: Change
    sources: tuple[Source, ...]


def sources_of(changes: Iterable[SourcedChange]) -> tuple[Source, ...]:
    """The manifests behind the changes, each once, in the order of the changes."""
    return tuple(dict.fromkeys(source for sourced in changes for source in sourced.sources))


@dataclass(frozen=True, slots=True)
class Settled:
    """Differences, and what makes the action impossible."""

    changes: tuple[SourcedChange, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """What stands between one ask and its image set.

    `ask_digest` (not keyed yet) and `asked` (paths only) are what a record keeps of the ask. Once
    the survey is over, `reading` holds that document alone from which the calls of this image set
    are made. `study_instance_uid` is the study whose primary image set this may be, "" where the
    document states none; None for an image set that is not primary or was not read.
    """

    ask: ImageSetAsk
    ask_digest: str = field(repr=False)
    asked: tuple[str, ...]
    reading: Reading
    status: Status
    changes: tuple[SourcedChange, ...] = ()
    blocks: tuple[Block, ...] = ()
    notes: tuple[Note, ...] = ()
    released: tuple[str, ...] = ()
    study_instance_uid: str | None = field(default=None, repr=False)

    @property
    def image_set_id(self) -> str:
        """The image set."""
        return self.ask.image_set_id

    @property
    def is_primary(self) -> bool:
        """Whether the image set is primary; False where there is none or nobody says."""
        return bool(self.reading.properties and self.reading.properties.is_primary)
