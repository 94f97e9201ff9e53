"""Changes -> the two blobs of DICOMUpdates, and the document that must result from them.

A blob has the nesting of the document with the changed parts only, and SchemaVersion as the number
1.1 (decision 0002, U6).

Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from reconciler.core.dicom.content import Section, section_of
from reconciler.core.model.address import Address, Level
from reconciler.core.model.change import Change, Op
from reconciler.core.model.value import Document, Json

SCHEMA_VERSION = 1.1
# The maximum of one blob in the service model (DICOMAttributes, 30000 bytes).
BLOB_BYTES = 30_000


@dataclass(frozen=True, slots=True, repr=False)
class Blobs:
    """The JSON texts of updatableAttributes and removableAttributes, None if empty."""

    updatable: str | None
    removable: str | None

    def __repr__(self) -> str:
        return "Blobs(***)"

    @property
    def payload_bytes(self) -> int:
        """The bytes of both blobs in base64, as they are sent (decision 0002, U13)."""
        return payload_bytes(self.updatable, self.removable)

    @property
    def largest_blob(self) -> int:
        """The larger blob in bytes, before base64."""
        return max(len(blob.encode()) for blob in (self.updatable, self.removable) if blob)


def payload_bytes(*blobs: str | None) -> int:
    """Return the bytes of the blobs of one call in base64 (decision 0002, U13)."""
    return sum(4 * -(-len(blob.encode()) // 3) for blob in blobs if blob)


def encode(changes: Iterable[Change]) -> Blobs:
    """Encode the changes of one call as request blobs, in a fixed order."""
    updates: Section = {}
    removals: Section = {}
    for change in sorted(changes, key=lambda change: (change.address, change.tag or 0)):
        match change.op:
            case Op.ADD | Op.UPDATE:
                section = _nested(updates, change.address)
                _set(section, "DICOM", change.key, change.after.raw if change.after else None)
                if change.send_vr:
                    _set(section, "DICOMVRs", change.key, change.vr)
            case Op.REMOVE:
                section = _nested(removals, change.address)
                # "Attribute key and value must match the existing attribute."
                _set(section, "DICOM", change.key, change.before.raw if change.before else None)
            case Op.REMOVE_INSTANCE | Op.REMOVE_SERIES:
                _nested(removals, change.address)
            case Op.RESTORE_INSTANCE | Op.RESTORE_SERIES:
                raise AssertionError("only a revert restores instances, and it has no blobs")
    return Blobs(_text(updates), _text(removals))


def _path(address: Address) -> tuple[str, ...]:
    """Return the keys that lead to a section in the document."""
    match address.level:
        case Level.PATIENT:
            return ("Patient",)
        case Level.STUDY:
            return ("Study",)
        case Level.SERIES:
            return ("Study", "Series", address.series)
        case Level.INSTANCE:
            return ("Study", "Series", address.series, "Instances", address.instance)


def _nested(root: Section, address: Address) -> Section:
    section = root
    for name in _path(address):
        section = cast(Section, section.setdefault(name, {}))
    return section


def _set(section: Section, name: str, key: str, value: Json) -> None:
    cast(Section, section.setdefault(name, {}))[key] = value


def _text(tree: Section) -> str | None:
    """Return compact JSON in the order of documents: SchemaVersion, Patient, Study."""
    if not tree:
        return None
    ordered: Section = {"SchemaVersion": SCHEMA_VERSION}
    ordered.update((name, tree[name]) for name in ("Patient", "Study") if name in tree)
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False)
    # A document may contain half of a surrogate pair, which JSON can express only as an escape.
    return text if _is_unicode(text) else json.dumps(ordered, separators=(",", ":"))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def simulate(document: Document, changes: Iterable[Change]) -> Document:
    """Return the document after exactly these changes.

    It shares all unchanged parts with the old document.
    """
    copy = _Copy(document)
    for change in changes:
        copy.take(change)
    return Document(copy.raw)


class _Copy:
    """A copy of a document that copies only the mappings on the paths of changes."""

    def __init__(self, document: Document) -> None:
        self.raw: Section = dict(document.raw)
        self._own: set[tuple[str, ...]] = set()

    def take(self, change: Change) -> None:
        """Apply one change."""
        path = _path(change.address)
        if change.op in (Op.REMOVE_INSTANCE, Op.REMOVE_SERIES):
            self._mapping(path[:-1]).pop(path[-1], None)
            return
        if change.op is Op.REMOVE:
            self._mapping((*path, "DICOM")).pop(change.key, None)
            if "DICOMVRs" in self._mapping(path):
                self._mapping((*path, "DICOMVRs")).pop(change.key, None)
            return
        self._mapping((*path, "DICOM"))[change.key] = change.after.raw if change.after else None
        if change.send_vr:
            self._mapping((*path, "DICOMVRs"))[change.key] = change.vr

    def _mapping(self, path: tuple[str, ...]) -> Section:
        """Return the mapping at a path as a copy of our own; create it if it is missing."""
        section = self.raw
        for depth, name in enumerate(path, start=1):
            where = path[:depth]
            if where not in self._own:
                section[name] = dict(section_of(section, name))
                self._own.add(where)
            section = cast(Section, section[name])
        return section
