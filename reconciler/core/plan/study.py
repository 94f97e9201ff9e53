"""Patient- and Study-level changes of primary image sets: one study-wide call for all of them.

All primary image sets of a study have the same attributes at these levels. The service updates
them atomically with `includeStudyImageSets` and raises every version. It does not check the
versions of the siblings of the requested image set (decision 0002, U12).

Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.core.dicom.agreement import agree
from reconciler.core.dicom.canonical import same
from reconciler.core.dicom.content import live_key, section_at, section_of
from reconciler.core.dicom.dictionary import attribute_path
from reconciler.core.model.address import Level
from reconciler.core.model.ask import Claim, ImageSetAsk
from reconciler.core.model.change import Block, Change, Op
from reconciler.core.model.diff import Call, Diff, SourcedChange, sources_of
from reconciler.core.model.observed import Observed, Summary, Unread
from reconciler.core.model.record import StudyMembers
from reconciler.core.model.settings import Datastore
from reconciler.core.model.value import Document, Value
from reconciler.core.plan.patients import PatientRows


@dataclass(frozen=True, slots=True, repr=False)
class WideCall:
    """One study-wide call: its changes, and the digest of each member's content after it.

    `study_instance_uid` is the study before the call.
    """

    changes: tuple[Change, ...]
    expected: tuple[tuple[str, str], ...]
    study_instance_uid: str


@dataclass(frozen=True, slots=True, repr=False)
class StudyCalls:
    """The study-wide calls of a study, then those of each asked member alone."""

    wide: tuple[WideCall, ...]
    own: Mapping[str, tuple[Call, ...]]


@dataclass(frozen=True, slots=True)
class Study:
    """All primary image sets of one study, each with the document read at its version.

    `siblings` are the diffs of members with what manifests ask of the study, and not of them.
    `rows` are what SearchImageSets lists of the study. `unlisted` are members that a manifest asks
    for and that it does not list: then search may also miss others. `unread` is the reason why
    search did not answer. `calls` are what changes the study, made while the documents were held:
    once the survey is over, `members` hold outlines.
    """

    study_instance_uid: str
    members: tuple[Observed, ...]
    unlisted: tuple[str, ...] = ()
    unread: Unread | None = None
    siblings: tuple[Diff, ...] = ()
    rows: tuple[Summary, ...] = ()
    calls: StudyCalls | None = None

    @property
    def documents(self) -> Mapping[str, Document]:
        """The documents that could be read, by image set."""
        return {
            member.properties.image_set_id: member.document
            for member in self.members
            if member.document is not None
        }

    @property
    def is_known(self) -> bool:
        """Whether all its primary image sets are known and could be compared."""
        return not (self.unread or self.unlisted) and all(
            member.document is not None and member.unread is None for member in self.members
        )

    @property
    def versions(self) -> StudyMembers:
        """The versions that were read."""
        rows = (
            (member.properties.image_set_id, member.properties.version_id)
            for member in self.members
        )
        return StudyMembers(self.study_instance_uid, tuple(sorted(rows)))


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one data store.

    `managed` are the asks of all manifests by image set, also of those that the run leaves out.
    `patients` is what SearchImageSets lists with each new PatientID.
    """

    datastore: Datastore
    diffs: Sequence[Diff]
    studies: Iterable[Study]
    managed: Mapping[str, ImageSetAsk]
    patients: Mapping[str, PatientRows] = field(default_factory=dict, repr=False)


def members_filters(study_instance_uid: str) -> tuple[tuple[str, str], ...]:
    """The SearchImageSets filters for the image sets of a study.

    The model's text says that it takes one filter at most (decision 0002, U26), so `isPrimary` is
    read from the rows.
    """
    return (("DICOMStudyInstanceUID", study_instance_uid),)


@dataclass(frozen=True, slots=True)
class StudyWide:
    """The edits of one study-wide call: `sent` for the anchor, `changes` for every member."""

    anchor: str
    sent: tuple[Change, ...]
    changes: tuple[SourcedChange, ...]
    blocks: tuple[Block, ...]


def is_study_level(change: Change) -> bool:
    """Whether a primary image set may make this change only together with its study."""
    return change.address.level <= Level.STUDY


def study_wide(
    study: Study, diffs: Sequence[Diff], managed: Mapping[str, ImageSetAsk]
) -> StudyWide:
    """Bring together what the asked members want of Patient and Study.

    `managed` are the asks of all manifests: what this run leaves out may disagree, too.
    """
    members = [member.properties.image_set_id for member in study.members]
    asks = [managed[name] for name in members if name in managed]
    changes: list[SourcedChange] = []
    blocks: list[Block] = []
    for (level, tag), asked in _wanted(study, diffs):
        blocks += _disagreements(level, tag, asks)
        sources = sources_of(asked)
        spread = _spread(asked)
        blocks += _unequal_removals(study, asked[0].change, spread)
        changes += [SourcedChange(change, sources) for change in spread]
    anchor, sent = sent_by(study, diffs)
    return StudyWide(anchor, sent, tuple(changes), tuple(blocks))


def sent_by(study: Study, diffs: Sequence[Diff]) -> tuple[str, tuple[Change, ...]]:
    """The image set that the study-wide calls name, and what they send, as changes of it."""
    wanted = _wanted(study, diffs)
    moved = {one.change.image_set_id for _, some in wanted for one in some}
    members = [member.properties.image_set_id for member in study.members]
    # An image set on which the call changes something: it would get a version for nothing else.
    anchor = min(moved.intersection(diff.image_set_id for diff in diffs) or moved or members)
    return anchor, tuple(_sent(study, anchor, asked[0].change) for _, asked in wanted)


def _wanted(
    study: Study, diffs: Sequence[Diff]
) -> list[tuple[tuple[Level, int], list[SourcedChange]]]:
    """The Patient- and Study-level changes of the members by attribute, sorted."""
    wanted: dict[tuple[Level, int], list[SourcedChange]] = defaultdict(list)
    for diff in (*diffs, *study.siblings):
        for sourced in diff.changes:
            change = sourced.change
            if is_study_level(change) and change.tag is not None:
                wanted[change.address.level, change.tag].append(sourced)
    return sorted(wanted.items())


def _sent(study: Study, anchor: str, change: Change) -> Change:
    """The change under the live key of the anchor, the image set that the call names."""
    found = _on_member(anchor, study.documents[anchor], change)
    return found or replace(change, image_set_id=anchor)


def _spread(asked: Sequence[SourcedChange]) -> list[Change]:
    """The change on each member that needs it, each with its own drift."""
    # Manifests may spell a value differently; the call sends the first spelling.
    after = asked[0].change.after
    found = {one.change.image_set_id: replace(one.change, after=after) for one in asked}
    return [change for _, change in sorted(found.items())]


def _on_member(image_set_id: str, document: Document, change: Change) -> Change | None:
    """The change as it is on another member of the study; None if that member needs none."""
    section = section_at(document, change.address) or {}
    key = live_key(section, change.tag) if change.tag is not None else None
    live = section_of(section, "DICOM")[key] if key else None
    if change.op is Op.REMOVE:
        if key is None:
            return None
    elif key and change.after is not None and same(change.vr, live, change.after.raw):
        return None
    op = Op.REMOVE if change.op is Op.REMOVE else Op.UPDATE if key else Op.ADD
    return replace(
        change,
        image_set_id=image_set_id,
        op=op,
        key=key or change.key,
        before=Value(live) if key else None,
    )


def _unequal_removals(study: Study, change: Change, spread: Sequence[Change]) -> list[Block]:
    """Block a removal of different values: a call states one exact value to remove."""
    if change.op is not Op.REMOVE:
        return []
    held = [(found.key, found.before.raw if found.before else None) for found in spread]
    if len(spread) == len(study.documents) and all(value == held[0] for value in held):
        return []
    message = "the primary image sets of the study have different values, or some have no value"
    hint = "Set the same value on all of them with `present:` first, then remove it."
    return [Block(change.image_set_id, message, hint, change.place, change.path())]


def _disagreements(level: Level, tag: int, asks: Sequence[ImageSetAsk]) -> list[Block]:
    """One call gives every member the same value, so every manifest of the study must agree."""
    claims: list[tuple[str, Claim]] = [
        (ask.image_set_id, claim)
        for ask in asks
        for claim in ask.claims
        if claim.address.level is level and claim.tag == tag
    ]
    (_, first), *others = claims
    return [
        Block(
            image_set_id,
            f"this line contradicts {first.place}, which asks for the same study",
            "All primary image sets of a study share their Patient and Study attributes. Make the "
            "manifests agree.",
            claim.place,
            attribute_path(claim.address, tag),
        )
        for image_set_id, claim in others
        if not agree(first, claim)
    ]
