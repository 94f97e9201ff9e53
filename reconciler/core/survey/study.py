"""The survey of one study: all its primary image sets, which must change together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.core.dicom.agreement import agree
from reconciler.core.dicom.content import study_instance_uid
from reconciler.core.dicom.shape import misshapen
from reconciler.core.diff import diff, is_recorded
from reconciler.core.diff.guards import NOT_SAID, UNKNOWN_HINT
from reconciler.core.model.address import Level
from reconciler.core.model.ask import Claim, ImageSetAsk
from reconciler.core.model.change import Note
from reconciler.core.model.diff import Diff, Reading
from reconciler.core.model.observed import Observed, Properties, Unread
from reconciler.core.model.record import StudyMembers
from reconciler.core.model.settings import Rules
from reconciler.core.plan import (
    Study,
    asks_study,
    calls_of_study,
    moves_study,
    needs_study,
    not_all_known,
    outline,
    unready,
)
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
    """A study, and what it adds to the diffs of its members.

    `study` is None if the records show that nothing of it has changed.
    """

    study: Study | None
    diffs: tuple[Diff, ...] = ()


def studies_of(diffs: Iterable[Diff]) -> Mapping[str, Collection[str]]:
    """Return the studies that must be looked at, each with the image sets that manifests ask for.

    A document without a StudyInstanceUID belongs to no study; `build` refuses its changes.
    """
    asked: dict[str, list[str]] = defaultdict(list)
    needed = set()
    for found in diffs:
        uid = found.study_instance_uid
        if uid and found.may_be_primary:
            asked[uid].append(found.image_set_id)
            if asks_study(found) or needs_study(found):
                needed.add(uid)
    return {uid: asked[uid] for uid in sorted(needed)}


def survey_study(
    uid: str, asked: Collection[str], own: Mapping[str, Diff], known: Known, rules: Rules
) -> Survey[Studied]:
    """Find the members of a study by search and confirm them by GetImageSet (decision 0002, U14).

    `asked` are the members that manifests ask for. `own` are the diffs of all image sets. What is
    asked of the study is converged only if every member holds it.
    """
    rows = yield from members_of(uid)
    unread = rows.unread if isinstance(rows, Refusal) else None
    rows = () if isinstance(rows, Refusal) else rows
    listed = {row.image_set_id: row.is_primary for row in rows}
    unlisted = () if unread else tuple(sorted(set(asked) - listed.keys()))
    if not (unread or unlisted or known.reads_all):
        diffs = [own[name] for name in asked]
        if (yield from _is_unchanged(uid, listed, diffs, known)):
            return Studied(None)
    members = yield from together(
        [
            _member(
                uid, Properties(name, "", "", is_primary=listed.get(name)), own.get(name), known
            )
            for name in sorted({*asked, *listed})
        ]
    )
    seen = tuple(member for member in members if member is not None)
    whole = {
        one.image_set_id: one
        for member in seen
        if not known.reads_all
        and (one := _whole(own.get(member.properties.image_set_id), member, rules)) is not None
    }
    found = {name: whole.get(name, own[name]) for name in asked}
    claims = _claims(found.values())
    siblings = yield from together(
        [
            _sibling(member, claims, found.get(member.properties.image_set_id), known, rules)
            for member in seen
        ]
    )
    study = Study(
        uid,
        tuple(member for member, _ in siblings),
        unlisted,
        unread,
        tuple(one for _, one in siblings if one is not None),
        rows,
    )
    return Studied(
        _with_calls(study, found, rules), tuple(_in_study(one, study) for one in found.values())
    )


def _with_calls(study: Study, asked: Mapping[str, Diff], rules: Rules) -> Study:
    """Make the calls of a study from its documents, and keep outlines of them."""
    diffs = [
        asked[one.properties.image_set_id]
        for one in study.members
        if one.properties.image_set_id in asked
    ]
    moves = any(map(moves_study, diffs)) or any(one.changes for one in study.siblings)
    members = tuple(
        replace(one, document=outline(one.document)) if one.document is not None else one
        for one in study.members
    )
    calls = calls_of_study(study, diffs, rules.payload_bytes) if moves else None
    return replace(study, members=members, calls=calls)


def _is_unchanged(
    uid: str, listed: Mapping[str, bool | None], asked: Collection[Diff], known: Known
) -> Survey[bool]:
    """Whether the study has the members and versions that it had when it converged.

    The members that no manifest names must be as their own entries state.
    """
    versions: dict[str, str] = {}
    for found in asked:
        properties = found.reading.properties
        if properties is None or not is_recorded(found.ask, found.reading.entry, properties):
            return False
        versions[found.image_set_id] = properties.version_id
    others = [
        name
        for name, is_primary in sorted(listed.items())
        if is_primary is not False and name not in versions
    ]
    answers = yield from together([properties_of(name) for name in others])
    for name, answer in zip(others, answers, strict=True):
        if isinstance(answer, Refusal):
            return False
        if answer.is_primary is False:
            continue
        entry = known.entries.get(name)
        if answer.state != "ACTIVE" or entry is None or not entry.is_at(answer):
            return False
        versions[name] = answer.version_id
    as_recorded = StudyMembers(uid, tuple(sorted(versions.items())))
    return all(
        found.reading.entry is not None and found.reading.entry.study == as_recorded
        for found in asked
        if asks_study(found)
    )


def _in_study(found: Diff, study: Study) -> Diff:
    """The diff of a member, with what the study adds to it.

    If the study is not known as a whole, what is asked of it may not be true of all its members.
    """
    if not asks_study(found) or found.reading.properties is None:
        return found
    if study.is_known:
        return replace(found, study=study.versions)
    if needs_study(found) or found.blocks:
        return found  # the action of the study is blocked, and says why
    blocks = (*not_all_known(study, found.image_set_id), *unready(study, [found]))
    notes = tuple(Note(block.image_set_id, block.message) for block in blocks)
    return replace(found, notes=(*found.notes, *notes))


def _claims(asked: Iterable[Diff]) -> tuple[Claim, ...]:
    """What the manifests that a run carries ask of Patient and Study.

    Where they disagree, the first counts: `build` reports it.
    """
    found: dict[tuple[Level, int | None], list[Claim]] = defaultdict(list)
    for one in asked:
        for claim in one.ask.carried.study_claims:
            same = found[claim.address.level, claim.tag]
            if not same or agree(same[0], claim):
                same.append(claim)
    return tuple(claim for some in found.values() for claim in some)


def _sibling(
    member: Observed,
    claims: Iterable[Claim],
    own: Diff | None,
    known: Known,
    rules: Rules,
) -> Survey[tuple[Observed, Diff | None]]:
    """Compare a member with what is asked of the study, and not of the member itself.

    Each member is compared with its own baselines: what another process changed on this member
    alone has drifted on this member alone.
    """
    document = member.document
    if document is None or member.unread is not None or misshapen(document):
        return member, None
    asked = own.ask.carried.claims if own is not None and own.ask.revert is None else ()
    held = {(claim.address.level, claim.tag) for claim in asked}
    wanted = tuple(one for one in claims if (one.address.level, one.tag) not in held)
    if not wanted or (own is not None and own.ask.revert is not None):
        return member, None
    name = member.properties.image_set_id
    sources = tuple(dict.fromkeys(claim.source for claim in wanted))
    reading = Reading(
        member.properties,
        document,
        known.entries.get(name),
        origin=member.origin,
        good_version=member.good_version,
    )
    ask = ImageSetAsk(own.ask.datastore if own is not None else "", name, sources, wanted)
    found = yield from judged(diff(ask, reading, rules), known, whole=False)
    if isinstance(found, Refusal):
        return replace(member, unread=found.unread), None
    return member, without_documents(replace(found, released=(), renamed=()), rules)


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
    return without_documents(diff(own.ask, reading, rules), rules)
