"""Changes -> the two blobs of DICOMUpdates, and the document that must come out of them.

The form is the document's own nesting, partial, with SchemaVersion as the number 1.1 (decision
0002, U6).

Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from reconciler.core.dicom.content import Block, section
from reconciler.core.model.address import Address, Level
from reconciler.core.model.change import Change, Op
from reconciler.core.model.value import Document, Json

SCHEMA_VERSION = 1.1
# The model's own bound of one blob (DICOMAttributes, max 30000 bytes).
BLOB_BYTES = 30_000


@dataclass(frozen=True, slots=True, repr=False)
class Blobs:
    """The JSON texts of updatableAttributes and removableAttributes, None where one is empty."""

    updatable: str | None
    removable: str | None

    def __repr__(self) -> str:
        return "Blobs(***)"

    @property
    def payload_bytes(self) -> int:
        """Both blobs as they travel: base64 (decision 0002, U13)."""
        return payload_bytes(self.updatable, self.removable)

    @property
    def largest_blob(self) -> int:
        """The larger blob in bytes, before base64."""
        return max(len(blob.encode()) for blob in (self.updatable, self.removable) if blob)


def payload_bytes(*blobs: str | None) -> int:
    """The bytes of the blobs of one call, each in base64 (decision 0002, U13)."""
    return sum(4 * -(-len(blob.encode()) // 3) for blob in blobs if blob)


def encode(changes: Iterable[Change]) -> Blobs:
    """The request blobs of changes that belong to one call, in a fixed order."""
    updates: Block = {}
    removals: Block = {}
    for change in sorted(changes, key=lambda change: (change.address, change.tag or 0)):
        match change.op:
            case Op.ADD | Op.UPDATE:
                block = _nested(updates, change.address)
                _set(block, "DICOM", change.key, change.after.raw if change.after else None)
                if change.send_vr:
                    _set(block, "DICOMVRs", change.key, change.vr)
            case Op.REMOVE:
                block = _nested(removals, change.address)
                # "Attribute key and value must match the existing attribute."
                _set(block, "DICOM", change.key, change.before.raw if change.before else None)
            case Op.REMOVE_INSTANCE | Op.REMOVE_SERIES:
                _nested(removals, change.address)
            case Op.RESTORE_INSTANCE | Op.RESTORE_SERIES:
                raise AssertionError("only a revert restores, and a revert has no blobs")
    return Blobs(_text(updates), _text(removals))


def _path(address: Address) -> tuple[str, ...]:
    """The names that lead to a block in the document's nesting."""
    match address.level:
        case Level.PATIENT:
            return ("Patient",)
        case Level.STUDY:
            return ("Study",)
        case Level.SERIES:
            return ("Study", "Series", address.series)
        case Level.INSTANCE:
            return ("Study", "Series", address.series, "Instances", address.instance)


def _nested(root: Block, address: Address) -> Block:
    block = root
    for name in _path(address):
        block = cast(Block, block.setdefault(name, {}))
    return block


def _set(block: Block, name: str, key: str, value: Json) -> None:
    cast(Block, block.setdefault(name, {}))[key] = value


def _text(tree: Block) -> str | None:
    """Compact JSON in the document's order: SchemaVersion, Patient, Study; DICOM before Series."""
    if not tree:
        return None
    ordered: Block = {"SchemaVersion": SCHEMA_VERSION}
    ordered.update((name, tree[name]) for name in ("Patient", "Study") if name in tree)
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False)
    # Half of a surrogate pair, as a document may hold one, exists in JSON only as an escape.
    return text if _is_unicode(text) else json.dumps(ordered, separators=(",", ":"))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def simulate(document: Document, changes: Iterable[Change]) -> Document:
    """The document that must come out when exactly these changes take effect.

    It shares with the old one whatever they leave alone.
    """
    copy = _Copy(document)
    for change in changes:
        copy.take(change)
    return Document(copy.raw)


class _Copy:
    """A document of which only the mappings are copied that a change touches."""

    def __init__(self, document: Document) -> None:
        self.raw: Block = dict(document.raw)
        self._own: set[tuple[str, ...]] = set()

    def take(self, change: Change) -> None:
        """Let one change take effect."""
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

    def _mapping(self, path: tuple[str, ...]) -> Block:
        """The mapping at a path, our own from here on; made where there is none."""
        block = self.raw
        for depth, name in enumerate(path, start=1):
            where = path[:depth]
            if where not in self._own:
                block[name] = dict(section(block, name))
                self._own.add(where)
            block = cast(Block, block[name])
        return block
