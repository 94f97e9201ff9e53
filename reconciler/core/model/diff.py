"""The input and the result of a comparison."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.core.model.ask import Claim, ImageSetAsk, Source
from reconciler.core.model.change import Block, Change, Note
from reconciler.core.model.observed import Properties, Unread
from reconciler.core.model.plan import Status
from reconciler.core.model.record import Entry, StudyMembers, Unverified
from reconciler.core.model.value import Document


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that was read about one image set.

    `properties` is None if the service has no such image set. `document` is None if it was not
    needed: busy, deleted, or unchanged since the record. `target` is the document for a revert.
    `origin` is the version before a killed apply that made this version, or "". `unread` says why
    something could not be read. `good_version` is the version whose document is used because the
    latest version failed and has no document, or "".
    """

    properties: Properties | None
    document: Document | None = None
    entry: Entry | None = None
    target: Document | None = None
    target_properties: Properties | None = None
    origin: str = ""
    unread: Unread | None = None
    good_version: str = ""

    @property
    def live_versions(self) -> tuple[str, ...]:
        """The versions that the document is of: the latest, and the one that stands for it."""
        assert self.properties is not None
        found = (self.properties.version_id, self.good_version)
        return tuple(filter(None, found))


@dataclass(frozen=True, slots=True)
class SourcedChange:
    """A change and the manifests that ask for it: these can consent to its hazards."""

    change: Change
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a manifest must accept of an unverified version before its paths can change again.

    `sources` are the manifests that may: those that ask for the paths. `is_given` says that one of
    them does.
    """

    version_id: str
    paths: tuple[str, ...]
    sources: tuple[Source, ...]
    is_given: bool


def sources_of(changes: Iterable[SourcedChange]) -> tuple[Source, ...]:
    """Return the manifests that ask for the changes, each once, in the order of the changes."""
    return tuple(dict.fromkeys(source for sourced in changes for source in sourced.sources))


@dataclass(frozen=True, slots=True)
class AskedChanges:
    """The changes of an ask, the reasons that block them, and remarks for the reviewer.

    `missing` are removals of series and instances that the document does not have.
    """

    changes: tuple[SourcedChange, ...]
    blocks: tuple[Block, ...]
    missing: tuple[Claim, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """One call for one image set alone: its changes, and the digest of the content after it.

    A call that reverts to another version states no change.
    """

    changes: tuple[Change, ...]
    expected: str


@dataclass(frozen=True, slots=True)
class Diff:
    """The differences between one ask and its image set.

    `ask_digest` (not keyed yet) and `asked` (paths only) are of what the run carries of the ask.
    `released` are recorded paths that no manifest asks for any more, `renamed` those whose UID the
    manifests change, each with its path afterwards. `missing` are removals of series and instances
    that the live document does not have: earlier versions decide whether they have converged.
    `refuted` is the version of the entry if the service contradicts it. `requests` is what is asked
    of each path that changes (not keyed). `acceptances` are those that unverified versions need.
    `study` is the study as it was read, if all its members hold what is asked. `calls` are those of
    this image set alone, made while its document was held: once the survey is over, `reading` holds
    an outline of the document if there are calls, and no document if there are none.
    `study_instance_uid` and `patient_id` are those that the document states; "" if it states none,
    or if it was not read.
    """

    ask: ImageSetAsk
    ask_digest: str = field(repr=False)
    asked: tuple[str, ...]
    reading: Reading
    status: Status
    changes: tuple[SourcedChange, ...] = ()
    blocks: tuple[Block, ...] = ()
    missing: tuple[Claim, ...] = ()
    notes: tuple[Note, ...] = ()
    released: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    refuted: str = ""
    requests: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    acceptances: tuple[Acceptance, ...] = ()
    study: StudyMembers | None = None
    study_instance_uid: str = field(default="", repr=False)
    patient_id: str = field(default="", repr=False)
    calls: tuple[Call, ...] = field(default=(), repr=False)

    @property
    def image_set_id(self) -> str:
        """The ID of the image set."""
        return self.ask.image_set_id

    @property
    def accepted(self) -> tuple[Unverified, ...]:
        """The paths of unverified versions that manifests accept."""
        return tuple(
            Unverified(one.version_id, one.paths) for one in self.acceptances if one.is_given
        )

    @property
    def is_primary(self) -> bool:
        """Whether the image set is primary; False if it does not exist or if that is unknown."""
        return bool(self.reading.properties and self.reading.properties.is_primary)

    @property
    def may_be_primary(self) -> bool:
        """Whether the image set exists and the service does not state that it is not primary."""
        properties = self.reading.properties
        return properties is not None and properties.is_primary is not False
