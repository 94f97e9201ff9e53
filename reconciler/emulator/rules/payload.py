"""Reads the two blobs of DICOMUpdates as a list of edits. A blob that cannot be read is a 400.

Both blobs have the nesting of the document itself: Patient, Study, Series and Instances by UID,
`DICOM` and `DICOMVRs`. In `removableAttributes` a series or an instance as `{}` means the series or
instance itself.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.rules.behaviours import Behaviours
from reconciler.emulator.rules.dictionary import identity
from reconciler.emulator.wire import exact_json
from reconciler.emulator.wire.errors import invalid, quota_exceeded

UPDATE = "update"
REMOVE = "remove"
REMOVE_BLOCK = "remove-block"
# Keys besides the four levels. HealthImaging makes these itself. A request that names them is
# well-formed but breaks a constraint, so they become edits (constraints.NEVER).
GENERATED_TOP = frozenset({"DatastoreID", "ImageSetID"})
GENERATED_INSTANCE = frozenset({"ImageFrames", "StoredTransferSyntaxUID", "ChecksumType"})
_MOST_LEVELS = 100
_SCHEMA_VERSIONS: dict[str, float | str] = {"number": 1.1, "text": "1.1"}


@dataclass(frozen=True, slots=True, repr=False)
class Edit:
    """An edit of one attribute (`key`), or with REMOVE_BLOCK of a whole series or instance."""

    operation: str
    level: str
    key: str
    value: Any = None
    series: str = ""
    instance: str = ""
    vr: str = ""

    @property
    def place(self) -> tuple[str, str, str, str]:
        """The identity that two edits of one attribute share."""
        return self.level, self.series, self.instance, identity(self.key) if self.key else ""


def parse_edits(updates: dict[str, Any], behaviours: Behaviours) -> tuple[Edit, ...]:
    """The edits of `DICOMUpdates`, removals first. Raises 400 or 402 for a refused request."""
    blobs = {name: data for name, data in updates.items() if data is not None}
    if not blobs:
        raise invalid("DICOMUpdates must have updatableAttributes or removableAttributes.")
    size = sum(len(base64.b64encode(data)) for data in blobs.values())
    if size > behaviours.payload_limit_bytes:
        raise quota_exceeded(
            f"The payload of {size} bytes exceeds the quota of {behaviours.payload_limit_bytes}."
        )
    removals = _read(REMOVE, "removableAttributes", blobs, behaviours)
    changes = _read(UPDATE, "updatableAttributes", blobs, behaviours)
    if behaviours.same_key_twice == "reject":
        _reject_contradictions(removals, changes)
    return removals + changes


def _read(
    operation: str, name: str, blobs: dict[str, bytes], behaviours: Behaviours
) -> tuple[Edit, ...]:
    if name not in blobs:
        return ()
    try:
        document = exact_json.loads(blobs[name], _MOST_LEVELS)
    except exact_json.JsonError as error:
        raise invalid(f"{name} {error}.") from None
    reader = _Reader(operation, name)
    edits = tuple(reader.document(document, behaviours))
    places = [edit.place for edit in edits]
    if len(set(places)) != len(places):
        raise invalid(f"{name} names an attribute twice.")
    return edits


def _reject_contradictions(removals: tuple[Edit, ...], changes: tuple[Edit, ...]) -> None:
    removed = {edit.place for edit in removals}
    for edit in changes:
        above = {("Series", edit.series, "", ""), ("Instance", edit.series, edit.instance, "")}
        if edit.place in removed or above & removed:
            raise invalid("An attribute is both updated and removed in one request.")


@dataclass(frozen=True, slots=True)
class _Reader:
    operation: str
    name: str

    def document(self, document: Any, behaviours: Behaviours) -> Iterator[Edit]:
        self._object(document, "the document")
        self._schema_version(document, behaviours)
        for key in document:
            if key in GENERATED_TOP:
                yield Edit(self.operation, "", key, document[key])
            elif key not in ("SchemaVersion", "Patient", "Study"):
                raise self._unexpected("the document")
        yield from self._block(document.get("Patient", {}), "Patient", frozenset())
        study = document.get("Study", {})
        yield from self._block(study, "Study", frozenset({"Series"}))
        for uid, series in self._object(study.get("Series", {}), "Series").items():
            yield from self._series(uid, series)

    def _series(self, uid: str, series: Any) -> Iterator[Edit]:
        if series == {} and self.operation == REMOVE:
            yield Edit(REMOVE_BLOCK, "Series", "", series=uid)
        yield from self._block(series, "Series", frozenset({"Instances"}), uid)
        instances = self._object(series.get("Instances", {}), "Instances")
        if not instances and not series.get("DICOM") and self.operation == UPDATE:
            yield Edit(UPDATE, "Series", "", series=uid)
        for instance_uid, instance in instances.items():
            if instance == {}:
                operation = REMOVE_BLOCK if self.operation == REMOVE else UPDATE
                yield Edit(operation, "Instance", "", series=uid, instance=instance_uid)
            yield from self._instance(uid, instance_uid, instance)

    def _instance(self, series: str, uid: str, instance: Any) -> Iterator[Edit]:
        extra = GENERATED_INSTANCE | {"DICOMVRs"}
        yield from self._block(instance, "Instance", extra, series, uid)
        for key in sorted(GENERATED_INSTANCE & set(instance)):
            yield Edit(self.operation, "Instance", key, None, series, uid)

    def _block(
        self, block: Any, level: str, extra: frozenset[str], series: str = "", instance: str = ""
    ) -> Iterator[Edit]:
        self._object(block, level)
        if not set(block) <= extra | {"DICOM"}:
            raise self._unexpected(level)
        attributes = self._object(block.get("DICOM", {}), f"{level} DICOM")
        vrs = self._object(block.get("DICOMVRs", {}), f"{level} DICOMVRs")
        if not all(isinstance(vr, str) for vr in vrs.values()) or not set(vrs) <= set(attributes):
            raise invalid(f"DICOMVRs in {self.name} must give the VR of an attribute in DICOM.")
        for key, value in attributes.items():
            vr = vrs.get(key, "")
            yield Edit(self.operation, level, key, value, series, instance, vr)

    def _schema_version(self, document: dict[str, Any], behaviours: Behaviours) -> None:
        if "SchemaVersion" not in document:
            if behaviours.schema_version_required:
                raise invalid(f"{self.name} has no SchemaVersion.")
            return
        given = document["SchemaVersion"]
        if given not in [_SCHEMA_VERSIONS[name] for name in behaviours.schema_version_types]:
            raise invalid(f"{self.name} has a SchemaVersion other than 1.1.")

    def _object(self, value: Any, what: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise invalid(f"{self.name} must be a JSON object at {what}.")
        if "" in value:  # in an `Edit`, that means the block itself
            raise invalid(f"{self.name} has an empty name at {what}.")
        return value

    def _unexpected(self, where: str) -> Exception:
        return invalid(f"{self.name} has an unexpected member at {where}.")
