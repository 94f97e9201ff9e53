"""Unverified versions: an update of ours was accepted, but other content was read back.

No reviewer has seen that content. So the paths of the update are blocked until a manifest accepts
the version, and what the service stored otherwise is not sent again until its ask changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import replace

from reconciler.core.dicom.canonical import same
from reconciler.core.dicom.content import key_vr, live_key, section_at, section_of
from reconciler.core.dicom.dictionary import document_key
from reconciler.core.diff.locate import Renames, renames
from reconciler.core.diff.paths import REVERT_PATH, asking, covers, governing_paths, request_digests
from reconciler.core.diff.revert import document_changes
from reconciler.core.model.ask import ImageSetAsk, Source
from reconciler.core.model.change import Block, Change, Op
from reconciler.core.model.diff import Acceptance, Diff
from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.plan import Status
from reconciler.core.model.record import Entry, Unverified
from reconciler.core.model.value import Document

# The documents of versions; None for one that cannot be read.
Documents = Mapping[str, Document | None]


def acceptances(
    ask: ImageSetAsk, entry: Entry, of_studies: Set[str], *, whole: bool
) -> tuple[Acceptance, ...]:
    """What the manifests of an image set must accept, and whether they do.

    A manifest accepts what it asks for. Of the paths that no manifest asks for any more, each can
    accept. `of_studies` are the Patient and Study paths that any manifest asks for. `whole` is
    false for an ask that holds only what is asked of the study of an image set: then another ask
    decides about the other paths.
    """
    sources = asking(ask, renames(ask.claims))
    carried = tuple(one for one in ask.sources if one not in ask.left_out)
    found: dict[tuple[str, tuple[Source, ...]], list[str]] = defaultdict(list)
    for one in entry.unverified:
        for path in one.paths:
            asked_by = _asked_by(path, sources)
            of_sibling = path in of_studies and path not in dict(entry.asked)
            if asked_by is None and (of_sibling or not whole):
                continue
            able = carried if asked_by is None else _kept(asked_by, carried)
            if able:
                found[one.version_id, able].append(path)
    return tuple(
        Acceptance(version, tuple(paths), able, _consents(ask.image_set_id, version, able))
        for (version, able), paths in found.items()
    )


def _asked_by(path: str, sources: Mapping[str, tuple[Source, ...]]) -> tuple[Source, ...] | None:
    """The manifests that ask for a path, by this name or a wider or narrower one; None for none."""
    found = dict.fromkeys(
        source
        for asked, some in sources.items()
        if REVERT_PATH in (asked, path)
        or asked == path
        or covers(asked, path)
        or covers(path, asked)
        for source in some
    )
    return tuple(found) or None


def _kept(sources: Iterable[Source], carried: tuple[Source, ...]) -> tuple[Source, ...]:
    return tuple(one for one in sources if one in carried)


def _consents(image_set_id: str, version: str, sources: Iterable[Source]) -> bool:
    consent = Consent(Hazard.ACCEPTS_UNVERIFIED, version, image_set_id)
    return any(consent in source.allow for source in sources)


def versions_to_read(found: Diff, entry: Entry) -> set[str]:
    """The versions whose documents say what is different, and what was stored otherwise."""
    wanted = {one.version_id for one in found.acceptances if not one.is_given}
    before = {str(int(version) - 1) for version in wanted if version != "1"}
    return wanted | before | {version for _, version in _repeated(found, entry)}


def with_unverified(found: Diff, entry: Entry, documents: Documents) -> Diff:
    """Block what is not accepted, and what the service would store otherwise again."""
    blocks = [
        block
        for one in found.acceptances
        if not one.is_given
        for block in _unaccepted(found, one, entry, documents)
    ]
    blocks += [
        _stored_otherwise(change, version)
        for change, version in _repeated(found, entry)
        if not _held(documents.get(version), change)
    ]
    if not blocks:
        return found
    blocks = list(dict.fromkeys((*found.blocks, *blocks)))
    return replace(found, status=Status.BLOCKED, blocks=tuple(blocks))


def _repeated(found: Diff, entry: Entry) -> Iterator[tuple[Change, str]]:
    """Changes that an unverified version was made for, exactly as now, each with that version."""
    alias = renames(found.ask.claims)
    for one in entry.unverified:
        requests = dict(one.requests)
        for sourced in found.changes:
            if any(requests.get(path) for path in _names(sourced.change, alias)):
                yield sourced.change, one.version_id


def _names(change: Change, alias: Renames) -> Iterator[str]:
    for paths in governing_paths(change, alias):
        yield from paths


def _held(document: Document | None, change: Change) -> bool:
    """Whether a version had what a change asks for. Then another process has changed it since."""
    section = section_at(document, change.address) if document is not None else None
    if section is None or change.tag is None:
        return False
    key = live_key(section, change.tag)
    if change.after is None or key is None:
        return change.op is Op.REMOVE and key is None
    return same(key_vr(section, key), section_of(section, "DICOM")[key], change.after.raw)


def _stored_otherwise(change: Change, version: str) -> Block:
    return Block(
        change.image_set_id,
        "the service stores another value: ask for that value",
        f"The update that made version {version} asked for this value, but another value was "
        "read back. The same value is not sent again.",
        change.place,
        change.path(),
    )


def _unaccepted(
    found: Diff, one: Acceptance, entry: Entry, documents: Documents
) -> Iterator[Block]:
    """Block the paths of a version, with what is different from the plan, one by one."""
    place, version = one.sources[0].place, one.version_id
    held = next(other for other in entry.unverified if other.version_id == version)
    yield Block(
        found.image_set_id,
        _ended(found.image_set_id, held),
        "Check the differences, then accept the version with the consent that is shown. To "
        "repair it, also ask for the correct content with `present`, `absent` or "
        "`revertToVersionId`.",
        place,
    )
    before, after = documents.get(str(int(version) - 1)), documents.get(version)
    if held.is_left or before is None or after is None:
        return
    requested = frozenset(path for path, _ in held.requests)
    for change in _unplanned(found, requested, before, after):
        yield Block(
            found.image_set_id,
            f"{_name(change)} {_HAPPENED[change.op]} in version {version}, and the update did not "
            "ask for it",
            "",
            place,
            change.path(),
        )


def _ended(name: str, held: Unverified) -> str:
    version = held.version_id
    if held.is_left:
        return (
            f"image set {name} is still at version {version} after a study-wide update by "
            "`reconcile`, so it does not have the planned content"
        )
    return (
        f"`reconcile` made version {version} of image set {name}, but it does not have the planned "
        "content"
    )


# What an update did to a series, an instance or an attribute.
_HAPPENED: Mapping[Op, str] = {
    Op.ADD: "was added",
    Op.UPDATE: "was changed",
    Op.REMOVE: "was removed",
    Op.REMOVE_INSTANCE: "was removed",
    Op.REMOVE_SERIES: "was removed",
    Op.RESTORE_INSTANCE: "was added",
    Op.RESTORE_SERIES: "was added",
}


def _name(change: Change) -> str:
    """A key that is in no dictionary may be anything, also a name: it is not quoted."""
    if change.tag is not None:
        return document_key(change.tag)
    return "an unknown attribute" if change.key else change.address.shown()


def _unplanned(
    found: Diff, requested: frozenset[str], before: Document, after: Document
) -> Iterator[Change]:
    """What an update changed outside the paths that it was made for."""
    alias = renames(found.ask.claims)
    changes = document_changes(found.image_set_id, before, after)
    for change in sorted(changes, key=lambda change: (change.address, change.key, change.op)):
        if REVERT_PATH not in requested and requested.isdisjoint(_names(change, alias)):
            yield change


def requests_of(found: Diff) -> tuple[tuple[str, str], ...]:
    """What is asked of each path that changes, for the record of an update."""
    alias = renames(found.ask.claims)
    digests = request_digests(found.ask.carried, alias)
    changed = {name for sourced in found.changes for name in _names(sourced.change, alias)}
    if found.ask.revert is not None:
        changed.add(REVERT_PATH)
    return tuple(sorted((path, one) for path, one in digests.items() if path in changed))
