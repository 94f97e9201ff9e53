"""The survey of one study: all its primary image sets, which must change together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.core.dicom.content import study_instance_uid
from reconciler.core.dicom.shape import misshapen
from reconciler.core.diff import diff, is_recorded
from reconciler.core.diff.guards import NOT_SAID, UNKNOWN_HINT
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.change import Change
from reconciler.core.model.diff import Diff, Reading, SourcedChange, sources_of
from reconciler.core.model.observed import Observed, Properties, Unread
from reconciler.core.model.plan import Status
from reconciler.core.model.settings import Rules
from reconciler.core.plan import Study, is_study_level, needs_study, on_member
from reconciler.core.survey.baseline import judged
from reconciler.core.survey.image_set import read_again, without_documents
from reconciler.core.survey.known import Known
from reconciler.core.survey.latest import latest_document
from reconciler.core.survey.needs import (
    Refusal,
    Survey,
    Why,
    document_of,
    members_of,
    properties_of,
    together,
)


@dataclass(frozen=True, slots=True)
class Studied:
    """A study, and the completed diffs of members whose own surveys had read no document."""

    study: Study
    diffs: tuple[Diff, ...]


def studies_of(diffs: Iterable[Diff]) -> Mapping[str, Collection[str]]:
    """Return the studies that must be read, each with the image sets that manifests ask for.

    A document without a StudyInstanceUID belongs to no study; `build` refuses its changes.
    """
    asked: dict[str, list[str]] = defaultdict(list)
    needed = set()
    for found in diffs:
        uid = found.study_instance_uid
        if uid:
            asked[uid].append(found.image_set_id)
            if needs_study(found):
                needed.add(uid)
    return {uid: asked[uid] for uid in sorted(needed)}


def survey_study(
    uid: str, asked: Collection[str], own: Mapping[str, Diff], known: Known, rules: Rules
) -> Survey[Studied]:
    """Find the members of a study by search and confirm them by GetImageSet (decision 0002, U14).

    `asked` are the members that manifests ask for. `own` are the diffs of all image sets.
    """
    rows = yield from members_of(uid)
    unread = rows.unread if isinstance(rows, Refusal) else None
    listed = {} if isinstance(rows, Refusal) else {row.image_set_id: row.is_primary for row in rows}
    members = yield from together(
        [
            _member(
                uid, Properties(name, "", "", is_primary=listed.get(name)), own.get(name), known
            )
            for name in sorted({*asked, *listed})
        ]
    )
    seen = tuple(member for member in members if member is not None)
    unlisted = () if unread else tuple(sorted(set(asked) - listed.keys()))
    whole = (_whole(own.get(member.properties.image_set_id), member, rules) for member in seen)
    wanted = _wanted(own[name] for name in asked)
    siblings = yield from together([_sibling(member, wanted, own, known) for member in seen])
    study = Study(
        uid,
        tuple(member for member, _ in siblings),
        unlisted,
        unread,
        tuple(change for _, changes in siblings for change in changes),
        () if isinstance(rows, Refusal) else rows,
    )
    return Studied(study, tuple(found for found in whole if found is not None))


def _wanted(asked: Iterable[Diff]) -> tuple[SourcedChange, ...]:
    """The changes of Patient and Study level that manifests ask of members, each attribute once."""
    found = {
        (sourced.change.address.level, sourced.change.tag): sourced
        for diff in asked
        for sourced in diff.changes
        if diff.ask.revert is None and is_study_level(sourced.change)
    }
    return tuple(found.values())


def _sibling(
    member: Observed,
    wanted: Collection[SourcedChange],
    own: Mapping[str, Diff],
    known: Known,
) -> Survey[tuple[Observed, tuple[Change, ...]]]:
    """Judge what a study-wide call changes on a member of which no manifest asks it.

    Each member is compared with its own baselines: what another process changed on this member
    alone has drifted on this member alone.
    """
    name, document = member.properties.image_set_id, member.document
    if document is None or member.unread is not None or misshapen(document):
        return member, ()
    asked = own[name].changes if name in own else ()
    held = {(one.change.address.level, one.change.tag) for one in asked}
    changes = [
        SourcedChange(change, sourced.sources)
        for sourced in wanted
        if (sourced.change.address.level, sourced.change.tag) not in held
        and (change := on_member(name, document, sourced.change)) is not None
    ]
    if not changes:
        return member, ()
    found = yield from judged(_of_sibling(member, changes, known), known)
    if isinstance(found, Refusal):
        return replace(member, unread=found.unread), ()
    return member, tuple(sourced.change for sourced in found.changes)


def _of_sibling(member: Observed, changes: Collection[SourcedChange], known: Known) -> Diff:
    name = member.properties.image_set_id
    reading = Reading(
        member.properties,
        member.document,
        known.entries.get(name),
        origin=member.origin,
        good_version=member.good_version,
    )
    ask = ImageSetAsk("", name, sources_of(changes))
    return Diff(ask, "", (), reading, Status.UPDATE, tuple(changes))


def _member(uid: str, row: Properties, own: Diff | None, known: Known) -> Survey[Observed | None]:
    """Read one member of a study; None if it is not, or no longer, a primary image set of it."""
    seen = _known_already(own)
    if seen is None:
        if row.is_primary is False:
            return None
        properties = yield from properties_of(row.image_set_id)
        if isinstance(properties, Refusal):
            return _refused(Observed(row, None), properties)
        seen = Observed(properties, None)
    properties = seen.properties
    is_primary = row.is_primary if properties.is_primary is None else properties.is_primary
    if is_primary is False or properties.state == "DELETED":
        return None
    if properties.state != "ACTIVE" or seen.unread is not None:
        return seen
    if is_primary is None:
        return replace(seen, unread=Unread(NOT_SAID, UNKNOWN_HINT))
    found = yield from _with_document(seen, own, known)
    if isinstance(found, Refusal):
        return _refused(seen, found)
    # A document without the documented structure may belong to any study: `build` refuses it.
    if found.document is None or misshapen(found.document):
        return found
    return found if study_instance_uid(found.document) == uid else None


def _known_already(own: Diff | None) -> Observed | None:
    """Return the result of the image set's own survey, without its document."""
    if own is None or own.reading.properties is None:
        return None
    reading = own.reading
    return Observed(
        own.reading.properties, None, reading.origin, reading.unread, reading.good_version
    )


def _with_document(seen: Observed, own: Diff | None, known: Known) -> Survey[Observed | Refusal]:
    read = read_again(own) if own is not None else None
    if read is None:
        return (yield from latest_document(seen.properties, known))
    document = yield from document_of(read.image_set_id, read.version_id)
    return document if isinstance(document, Refusal) else replace(seen, document=document)


def _refused(seen: Observed, refusal: Refusal) -> Observed | None:
    return None if refusal.why is Why.NOT_FOUND else replace(seen, unread=refusal.unread)


def _whole(own: Diff | None, member: Observed, rules: Rules) -> Diff | None:
    """Complete the diff of an image set that was not read because its record is valid.

    A valid record of a revert is complete: its version has the content that is asked for.
    """
    if own is None or own.reading.unread is not None or own.reading.properties is None:
        return None
    recorded = is_recorded(own.ask, own.reading.entry, own.reading.properties)
    if not recorded or own.ask.revert is not None:
        return None
    reading = replace(
        own.reading,
        document=member.document,
        unread=member.unread,
        good_version=member.good_version,
    )
    return without_documents(diff(own.ask, reading, rules))
