"""CopyImageSet: a new image set, instances into an existing one, promotion to primary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from reconciler.emulator.operations.context import (
    Context,
    Parameters,
    Result,
    image_set_arn,
    new_id,
    require_version,
)
from reconciler.emulator.operations.imagesets import require_unlocked
from reconciler.emulator.operations.loading import conflicts
from reconciler.emulator.operations.writes import Write
from reconciler.emulator.rules.constraints import Violation
from reconciler.emulator.rules.documents import Document, same, series_of
from reconciler.emulator.store.versions import Version, find, hold, insert_image_set
from reconciler.emulator.wire.errors import NOT_THE_LATEST, invalid, not_found

COPYING = "COPYING"
READ_ONLY = "COPYING_WITH_READ_ONLY_ACCESS"
# Recorded from the service (AWS CLI example of ListImageSetVersions), two spaces included.
_OTHER_SERIES = "INVALID_REQUEST:  Series of SourceImageSet and DestinationImageSet don't match."


@dataclass(frozen=True, slots=True)
class _Copy(Write):
    promote: bool


def copy_image_set(context: Context, parameters: Parameters) -> Result:
    """Copy. The source is read-only until the copy is complete, and keeps its version."""
    information = parameters["copyImageSetInformation"]
    pinned, target = information["sourceImageSet"], information.get("destinationImageSet")
    wanted = _selection(pinned.get("DICOMCopies", {}).get("copiableAttributes"))
    datastore_id, source_id = parameters["datastoreId"], parameters["sourceImageSetId"]
    if target and parameters.get("promoteToPrimary", False):
        raise invalid("promoteToPrimary makes a new image set and takes no destinationImageSet.")
    if target and target["imageSetId"] == source_id:
        raise invalid("The source and the destination are the same image set.")
    with context.store.write() as connection:
        copy = _Copy(
            context, connection, datastore_id, context.now(), parameters.get("force", False),
            parameters.get("promoteToPrimary", False),
        )  # fmt: skip
        source = _pinned(copy, source_id, pinned["latestVersionId"])
        if target:
            into = _pinned(copy, target["imageSetId"], target["latestVersionId"])
            destination = _merge(copy, source, into, wanted)
        else:
            destination = _create(copy, source, wanted)
        until = copy.now + context.update_seconds
        hold(connection, datastore_id, source_id, READ_ONLY, until)
    return {
        "datastoreId": datastore_id,
        # AWS's examples show the time of the copy for the source, whose version stays as it is.
        "sourceImageSetProperties": _properties(datastore_id, source, READ_ONLY)
        | {"updatedAt": copy.now},
        "destinationImageSetProperties": _properties(datastore_id, destination, COPYING),
    }


def _pinned(copy: _Copy, image_set_id: str, pin: str) -> Version:
    version = require_version(copy.context, copy.connection, copy.datastore_id, image_set_id)
    require_unlocked(version, copy.now)
    if pin != str(version.version):
        raise not_found(NOT_THE_LATEST)
    return version


def _properties(datastore_id: str, version: Version, status: str) -> Result:
    return {
        "imageSetId": version.image_set_id,
        "latestVersionId": str(version.version),
        "imageSetState": "LOCKED",
        "imageSetWorkflowStatus": status,
        "createdAt": version.created_at,
        "updatedAt": version.updated_at,
        "imageSetArn": image_set_arn(datastore_id, version.image_set_id),
    }


def _selection(text: str | None) -> dict[str, set[str]] | None:
    """The instances to copy, by series; None copies all of them."""
    if text is None:
        return None
    try:
        series = orjson.loads(text)["Study"]["Series"]
        return {uid: set(block["Instances"]) for uid, block in series.items()}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise invalid(
            "copiableAttributes must name Instances as image set metadata does."
        ) from None


def _selected(source: Document, wanted: dict[str, set[str]] | None) -> Document:
    if wanted is None:
        return source
    series = series_of(source)
    chosen = {}
    for uid, instance_uids in wanted.items():
        if uid not in series or not instance_uids <= series[uid]["Instances"].keys():
            raise Violation("INVALID_REQUEST: an Instance to copy is not in the source image set.")
        instances = {
            key: block for key, block in series[uid]["Instances"].items() if key in instance_uids
        }
        chosen[uid] = series[uid] | {"Instances": instances}
    if not any(block["Instances"] for block in chosen.values()):
        raise Violation("INVALID_REQUEST: no Instance to copy.")
    return source | {"Study": source["Study"] | {"Series": chosen}}


def _create(copy: _Copy, source: Version, wanted: dict[str, set[str]] | None) -> Version:
    """Make a new image set with version 1.

    It is primary only when it is promoted and nothing conflicts.
    """
    image_set_id = new_id()
    try:
        copied = _selected(copy.document(source), wanted) | {"ImageSetID": image_set_id}
        if copy.promote and conflicts(copy.connection, copy.datastore_id, copied):
            raise Violation("INVALID_REQUEST: the image set conflicts with the primary hierarchy.")
        fields: dict[str, Any] = {"end_status": "COPIED", "document": copied}
    except Violation as violation:
        fields = {"end_status": "COPY_FAILED", "message": str(violation)}
    is_primary = copy.promote and "document" in fields
    insert_image_set(
        copy.connection, copy.datastore_id, image_set_id, is_primary=is_primary, now=copy.now
    )
    copy.first(image_set_id, busy_status=COPYING, **fields)
    return _found(copy, image_set_id)


def _merge(
    copy: _Copy, source: Version, into: Version, wanted: dict[str, set[str]] | None
) -> Version:
    """Make the next version of the destination, with the instances of the source added."""
    try:
        merged = _merged(copy.document(into), _selected(copy.document(source), wanted), copy.force)
        fields: dict[str, Any] = {"end_status": "COPIED", "document": merged}
    except Violation as violation:
        fields = {"end_status": "COPY_FAILED", "message": str(violation)}
    copy.next(into, busy_status=COPYING, **fields)
    return _found(copy, into.image_set_id)


def _merged(into: Document, source: Document, force: bool) -> Document:
    """Add the instances of the source. Raises Violation where the image sets do not match.

    `force` permits different values of Patient, Study and Series, but not another series.
    """
    mine, theirs = series_of(into), series_of(source)
    if not theirs.keys() <= mine.keys():
        raise Violation(_OTHER_SERIES)
    pairs = [(into["Patient"], source["Patient"]), (into["Study"], source["Study"])]
    pairs += [(mine[uid], theirs[uid]) for uid in theirs]
    if not force and not all(same(one["DICOM"], other["DICOM"]) for one, other in pairs):
        raise Violation("INVALID_REQUEST: Patient, Study or Series level metadata do not match.")
    for uid, block in theirs.items():
        mine[uid]["Instances"].update(block["Instances"])
    return into


def _found(copy: _Copy, image_set_id: str) -> Version:
    version = find(copy.connection, copy.datastore_id, image_set_id)
    if version is None:
        raise KeyError(image_set_id)
    return version
