"""Changes -> the two blobs of DICOMUpdates, and the document that must come out of them.

The form is that of the AWS page "Updating image set metadata": the document's own nesting,
partial, with SchemaVersion as the number 1.1 (healthimaging §3.2 and §10, U6).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from reconciler.dicom.content import Block, instances, section, series
from reconciler.model.address import Address, Level
from reconciler.model.change import Change, Op
from reconciler.model.value import Document, Json

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
        """Both blobs as they travel: base64 (healthimaging §10, U13)."""
        return sum(_base64_length(blob) for blob in (self.updatable, self.removable) if blob)

    @property
    def largest_blob(self) -> int:
        """The larger blob in bytes, before base64."""
        return max(len(blob.encode()) for blob in (self.updatable, self.removable) if blob)


def _base64_length(blob: str) -> int:
    return len(base64.b64encode(blob.encode("utf-8", "surrogatepass")))


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


def _nested(root: Block, address: Address) -> Block:
    path = ["Patient"] if address.level is Level.PATIENT else ["Study"]
    if address.level >= Level.SERIES:
        path += ["Series", address.series]
    if address.level is Level.INSTANCE:
        path += ["Instances", address.instance]
    block = root
    for name in path:
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
    return json.dumps(ordered, separators=(",", ":"), ensure_ascii=False)


def simulate(document: Document, changes: Iterable[Change]) -> Document:
    """The document that must come out when exactly these changes take effect."""
    copy = _copy(document)
    for change in changes:
        _take_effect(copy, change)
    return copy


def _take_effect(document: Document, change: Change) -> None:
    address = change.address
    if change.op is Op.REMOVE_SERIES:
        series(document).pop(address.series, None)
        return
    if change.op is Op.REMOVE_INSTANCE:
        instances(series(document)[address.series]).pop(address.instance, None)
        return
    block = _nested(document.raw, address)
    dicom = cast(Block, block.setdefault("DICOM", {}))
    if change.op is Op.REMOVE:
        dicom.pop(change.key, None)
        section(block, "DICOMVRs").pop(change.key, None)
        return
    dicom[change.key] = change.after.raw if change.after else None
    if change.send_vr:
        _set(block, "DICOMVRs", change.key, change.vr)


def _copy(document: Document) -> Document:
    """A copy of every mapping that a change may touch; values are shared, never changed."""
    raw = dict(document.raw)
    raw["Patient"] = _copy_block(section(raw, "Patient"))
    study = _copy_block(section(raw, "Study"))
    study["Series"] = {
        key: {
            **_copy_block(block),
            "Instances": {
                inner_key: _copy_block(inner) for inner_key, inner in instances(block).items()
            },
        }
        for key, block in series(document).items()
    }
    raw["Study"] = study
    return Document(raw)


def _copy_block(block: Block) -> Block:
    copy = dict(block)
    for name in ("DICOM", "DICOMVRs"):
        if isinstance(copy.get(name), dict):
            copy[name] = dict(section(copy, name))
    return copy
