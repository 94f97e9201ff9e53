"""Fields of a document that HealthImaging itself writes, and may add with any update.

Documents of 2023 lack fields that those of 2025 have, so an update of an old image set may add
them. Nothing that was there has changed then.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.dicom.content import (
    CHECKSUMS,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    TRANSFER_SYNTAX,
    Section,
    frame_ids,
    instances,
    section_of,
    series,
    uid_value,
)
from reconciler.core.model.value import Document, Json


def without_added(document: Document, before: Document) -> tuple[Document, tuple[str, ...]]:
    """A document without the fields that an earlier version lacks, and their names, sorted.

    Instances are paired by their UID, or by their frames if the UID has changed.
    """
    earlier = _by_identity(before)
    added: set[str] = set()
    kept: dict[str, Json] = {}
    for key, section in series(document).items():
        inside: dict[str, Json] = {}
        for inner, instance in instances(section).items():
            identities = (_uids(key, section, inner, instance), frame_ids(instance))
            other = next((earlier[one] for one in identities if one in earlier), None)
            inside[inner] = _without(instance, other, added) if other is not None else instance
        kept[key] = {**section, "Instances": inside}
    study = {**section_of(document.raw, "Study"), "Series": kept}
    return Document({**document.raw, "Study": study}), tuple(sorted(added))


def _by_identity(document: Document) -> Mapping[tuple[str, ...], Section]:
    found: dict[tuple[str, ...], Section] = {}
    for key, section in series(document).items():
        for inner, instance in instances(section).items():
            found[_uids(key, section, inner, instance)] = instance
            if frames := frame_ids(instance):
                found.setdefault(frames, instance)
    return found


def _uids(key: str, section: Section, inner: str, instance: Section) -> tuple[str, ...]:
    return (
        uid_value(section, SERIES_INSTANCE_UID, key),
        uid_value(instance, SOP_INSTANCE_UID, inner),
    )


def _without(instance: Section, before: Section, added: set[str]) -> Section:
    result = dict(instance)
    if instance.get(TRANSFER_SYNTAX) and not before.get(TRANSFER_SYNTAX):
        del result[TRANSFER_SYNTAX]
        added.add(TRANSFER_SYNTAX)
    lacking = {str(frame.get("ID")) for frame in _frames(before) if not frame.get(CHECKSUMS)}
    frames: list[Json] = []
    for frame in _frames(instance):
        if frame.get(CHECKSUMS) and str(frame.get("ID")) in lacking:
            added.add(CHECKSUMS)
            frame = {name: value for name, value in frame.items() if name != CHECKSUMS}
        frames.append(frame)
    return {**result, "ImageFrames": frames} if frames else result


def _frames(instance: Section) -> list[Section]:
    listed = instance.get("ImageFrames")
    rows = listed if isinstance(listed, list) else []
    return [row for row in rows if isinstance(row, dict)]
