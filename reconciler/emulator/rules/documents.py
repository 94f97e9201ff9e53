"""Applies edits to a metadata document, and encodes and compares documents. No I/O."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from typing import Any, TypeAlias

from reconciler.emulator.rules.behaviours import Behaviours
from reconciler.emulator.rules.constraints import Violation, check_uid_change, where
from reconciler.emulator.rules.dictionary import attribute, identity
from reconciler.emulator.rules.effects import add_effects, effective
from reconciler.emulator.rules.payload import REMOVE, REMOVE_BLOCK, UPDATE, Edit
from reconciler.emulator.wire import exact_json

Document: TypeAlias = dict[str, Any]
_UID_OF_LEVEL = {"Series": "SeriesInstanceUID", "Instance": "SOPInstanceUID"}


def encode(document: Document) -> bytes:
    """A document as it is stored and sent by GetImageSetMetadata: gzip, always the same bytes."""
    return gzip.compress(exact_json.dumps(document), compresslevel=6, mtime=0)


def decode(data: bytes) -> Document:
    """The document of `encode`."""
    document: Document = exact_json.loads(gzip.decompress(data))
    return document


def digest(document: Document) -> str:
    """A text that is equal for equal documents, whatever the order of their keys."""
    return hashlib.sha256(exact_json.dumps(document, sort_keys=True)).hexdigest()


def same(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1 equals 1.0, but true does not equal 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def series_of(document: Document) -> dict[str, Any]:
    """Series by SeriesInstanceUID."""
    series: dict[str, Any] = document["Study"]["Series"]
    return series


def instance_uids(document: Document) -> set[str]:
    """The SOPInstanceUIDs of all series."""
    return {uid for series in series_of(document).values() for uid in series["Instances"]}


def block_of(document: Document, edit: Edit) -> Document | None:
    """The block of an edit; None where the document has no such module."""
    if edit.level in ("", "Patient", "Study"):
        block: Document = document[edit.level] if edit.level else document
        return block
    series: Document | None = series_of(document).get(edit.series)
    if series is None or edit.level == "Series":
        return series
    instance: Document | None = series["Instances"].get(edit.instance)
    return instance


def live_key(block: Document, key: str) -> str | None:
    """The key under which the block holds this attribute, if it does."""
    attributes = block.get("DICOM", {})
    if key in attributes:
        return key
    wanted = identity(key)
    return next((live for live in attributes if identity(live) == wanted), None)


def apply_edits(
    document: Document, edits: Iterable[Edit], behaviours: Behaviours, *, lenient: bool = False
) -> Document:
    """Apply edits to the document in place: removals, then updates, then new UIDs.

    `lenient` ignores the removal of a missing attribute (on the siblings of a study-wide update).
    Raises Violation for an edit that cannot be made.
    """
    ordered = effective(edits, behaviours)
    for edit in ordered:
        if edit.operation == REMOVE:
            _remove(document, edit, behaviours, lenient)
    blocks = [edit for edit in ordered if edit.operation == REMOVE_BLOCK]
    for edit in blocks:
        _remove_block(document, edit, behaviours)
    if blocks and not behaviours.remove_last:
        _refuse_empty(document)
    updates = [edit for edit in ordered if edit.operation == UPDATE and edit.key]
    for edit in updates:
        _update(document, edit, behaviours)
    _rekey(document, updates, behaviours)
    add_effects(document, behaviours)
    return document


def _remove(document: Document, edit: Edit, behaviours: Behaviours, lenient: bool) -> None:
    block = block_of(document, edit)
    key = live_key(block, edit.key) if block is not None else None
    if block is None or key is None:
        if lenient:
            return
        raise Violation(f"{where(edit)} does not exist and cannot be removed.")
    if behaviours.removal_value_must_match and not same(block["DICOM"][key], edit.value):
        raise Violation(f"{where(edit)}: key and value must match the existing attribute.")
    del block["DICOM"][key]
    block.get("DICOMVRs", {}).pop(key, None)


def _remove_block(document: Document, edit: Edit, behaviours: Behaviours) -> None:
    series = series_of(document)
    if edit.level == "Series":
        if not behaviours.remove_series:
            raise Violation("A Series cannot be removed.")
        del series[edit.series]
    else:
        del series[edit.series]["Instances"][edit.instance]


def _refuse_empty(document: Document) -> None:
    if not series_of(document):
        raise Violation("The last Series of an image set cannot be removed.")
    if not all(series["Instances"] for series in series_of(document).values()):
        raise Violation("The last Instance of a Series cannot be removed.")


def _update(document: Document, edit: Edit, behaviours: Behaviours) -> None:
    block = block_of(document, edit)
    if block is None:
        raise Violation(f"{where(edit)} is removed by the same request.")
    if edit.value is None and behaviours.null_in_updates == "removes":
        block.get("DICOM", {}).pop(live_key(block, edit.key), None)
        return
    known = attribute(edit.key)
    is_private = known is not None and known.is_private
    key = live_key(block, edit.key) or (edit.key.upper() if is_private else edit.key)
    if is_private or (known is None and edit.vr):
        vrs = block.setdefault("DICOMVRs", {})
        if edit.vr:
            vrs[key] = edit.vr
        elif key not in vrs:
            raise Violation(f"{where(edit)} needs its VR in DICOMVRs.")
    block.setdefault("DICOM", {})[key] = edit.value


def _rekey(document: Document, updates: list[Edit], behaviours: Behaviours) -> None:
    renames = [
        edit
        for edit in updates
        if edit.level in _UID_OF_LEVEL and identity(edit.key) == identity(_UID_OF_LEVEL[edit.level])
    ]
    taken = {"Instance": instance_uids(document), "Series": set(series_of(document))}
    for edit in renames:
        old = edit.instance or edit.series
        if edit.value != old:
            check_uid_change(edit, taken[edit.level])
            taken[edit.level].add(edit.value)
    if behaviours.rekey_on_uid_change:
        for edit in sorted(renames, key=lambda edit: edit.level):  # Instance before Series
            _rename(document, edit)


def _rename(document: Document, edit: Edit) -> None:
    parent = series_of(document)
    if edit.level == "Instance":
        parent = parent[edit.series]["Instances"]
    old = edit.instance or edit.series
    items = [(edit.value if key == old else key, block) for key, block in parent.items()]
    parent.clear()
    parent.update(items)
