"""The changes of a revert: the differences between the documents of two versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from reconciler.core.dicom.canonical import same
from reconciler.core.dicom.content import (
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    Section,
    content_digest,
    frame_ids,
    instances,
    key_tag,
    key_vr,
    section_at,
    section_of,
    series,
    uid_value,
)
from reconciler.core.dicom.shape import misshapen
from reconciler.core.model.address import PATIENT, STUDY, Address, instance_at, series_at
from reconciler.core.model.ask import ImageSetAsk, Revert
from reconciler.core.model.change import Block, Change, Op
from reconciler.core.model.diff import AskedChanges, Reading, SourcedChange
from reconciler.core.model.value import Document, Json, Value

Sections = Mapping[str, Section]


def revert_changes(ask: ImageSetAsk, reading: Reading) -> AskedChanges:
    """Return the changes of a revert, or why it is blocked."""
    revert = ask.revert
    assert revert is not None and reading.document is not None
    blocked = _impossible(ask.image_set_id, revert, reading)
    if blocked is not None:
        return AskedChanges((), (blocked,))
    assert reading.target is not None
    if content_digest(reading.document) == content_digest(reading.target):
        return AskedChanges((), ())
    changes = sorted(
        document_changes(ask.image_set_id, reading.document, reading.target),
        key=lambda change: (change.address, change.tag or 0, change.key, list(Op).index(change.op)),
    )
    return AskedChanges(tuple(SourcedChange(change, (revert.source,)) for change in changes), ())


def _impossible(image_set_id: str, revert: Revert, reading: Reading) -> Block | None:
    target, current = reading.target_properties, reading.properties
    assert current is not None
    version = revert.version_id
    if int(version) > int(current.version_id):
        message = f"version {version} does not exist yet: the latest is {current.version_id}"
    elif target is None or reading.target is None:
        message = f"the service no longer has version {version}"
    elif target.workflow_status.endswith("FAILED"):
        message = f"version {version} is a failed version: {target.workflow_status}"
    elif odd := misshapen(reading.target):
        message = (
            f"the document of version {version} does not have the documented structure at {odd}"
        )
    else:
        return None
    hint = (
        "Choose another version. `aws medical-imaging list-image-set-versions --image-set-id "
        f"{image_set_id} --datastore-id ID` lists them."
    )
    return Block(image_set_id, message, hint, revert.place)


def document_changes(image_set_id: str, live: Document, target: Document) -> Iterator[Change]:
    """The changes that lead from one document of an image set to another, in no order."""
    for address in (PATIENT, STUDY):
        yield from _section_changes(
            image_set_id,
            address,
            section_at(live, address) or {},
            section_at(target, address) or {},
        )
    pairs = _paired(series(live), series(target), SERIES_INSTANCE_UID)
    for live_key, target_key in pairs:
        yield from _series_changes(image_set_id, live, target, live_key, target_key)


def _series_changes(
    image_set_id: str, live: Document, target: Document, live_key: str, target_key: str
) -> Iterator[Change]:
    address = series_at(live_key or target_key)
    if not (live_key and target_key):
        if live_key:
            count = len(instances(series(live)[live_key]))
            yield replace(_whole(image_set_id, address, Op.REMOVE_SERIES), instances=count)
        else:
            yield _whole(image_set_id, address, Op.RESTORE_SERIES)
        return
    before, after = series(live)[live_key], series(target)[target_key]
    yield from _section_changes(image_set_id, address, before, after)
    for inner, other in _paired(instances(before), instances(after), SOP_INSTANCE_UID):
        place = instance_at(live_key, inner or other)
        if not (inner and other):
            yield _whole(image_set_id, place, Op.REMOVE_INSTANCE if inner else Op.RESTORE_INSTANCE)
            continue
        yield from _instance_changes(
            image_set_id, place, instances(before)[inner], instances(after)[other]
        )


def _instance_changes(
    image_set_id: str, place: Address, live: Section, target: Section
) -> Iterator[Change]:
    """Compare two instances. An import may have replaced the images under the same UID."""
    if frame_ids(live) != frame_ids(target):
        yield _whole(image_set_id, place, Op.REMOVE_INSTANCE)
        yield _whole(image_set_id, place, Op.RESTORE_INSTANCE)
    yield from _section_changes(image_set_id, place, live, target)


def _paired(live: Sections, target: Sections, uid_tag: int) -> list[tuple[str, str]]:
    """Pair the keys of the same series or instance; "" if one side lacks it.

    Pairs are found by UID. If the UID changed, they are found by the IDs of the image frames, which
    do not change.
    """
    by_uid = {uid_value(section, uid_tag, key): key for key, section in target.items()}
    pairs = {key: by_uid.get(uid_value(section, uid_tag, key), "") for key, section in live.items()}
    paired = set(pairs.values())
    free = {
        frame: key
        for key, section in target.items()
        if key not in paired
        for frame in _frames(section)
    }
    for key in [key for key, other in pairs.items() if not other]:
        match = next((free[frame] for frame in _frames(live[key]) if free.get(frame)), "")
        if match and match not in paired:
            paired.add(match)
            pairs[key] = match
    return sorted(pairs.items()) + [("", key) for key in sorted(target) if key not in paired]


def _frames(section: Section) -> Iterator[str]:
    """Yield the IDs of all image frames of an instance or a series."""
    yield from frame_ids(section)
    for inner in instances(section).values():
        yield from frame_ids(inner)


def _section_changes(
    image_set_id: str, address: Address, live: Section, target: Section
) -> Iterator[Change]:
    before, after = _by_tag(live), _by_tag(target)
    for identity in before.keys() | after.keys():
        old, new = before.get(identity), after.get(identity)
        if old and new and old[1] == new[1] and same(old[1], old[2], new[2]):
            continue
        op = Op.UPDATE if old and new else Op.REMOVE if old else Op.ADD
        key, vr, _ = old or new or ("", "", None)
        tag = key_tag(key)
        yield Change(
            image_set_id=image_set_id,
            op=op,
            address=address,
            key=key,
            tag=tag,
            vr=vr,
            before=Value(old[2]) if old else None,
            after=Value(new[2]) if new else None,
        )


def _by_tag(section: Section) -> dict[int | str, tuple[str, str, Json]]:
    return {
        tag if (tag := key_tag(key)) is not None else key: (key, key_vr(section, key), value)
        for key, value in section_of(section, "DICOM").items()
    }


def _whole(image_set_id: str, address: Address, op: Op) -> Change:
    return Change(image_set_id, op, address, "", None, "", None, None)
