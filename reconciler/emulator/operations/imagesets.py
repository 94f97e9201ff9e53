"""GetImageSet, GetImageSetMetadata, ListImageSetVersions and DeleteImageSet."""

from __future__ import annotations

import sqlite3

from reconciler.emulator.operations.context import (
    Context,
    Parameters,
    Result,
    image_set_arn,
    page_position,
    page_token,
    require_version,
)
from reconciler.emulator.rules.documents import decode, encode, series_of
from reconciler.emulator.store.versions import (
    DELETING,
    Version,
    document_bytes,
    hide,
    hold,
    newest_first,
    touch,
)
from reconciler.emulator.wire.errors import conflict, not_found

_MOST_RESULTS = 50
# Image sets move to Archive Instant Access after 30 consecutive days without access
# (developer guide, "Cost optimization").
_ARCHIVED_AFTER_SECONDS = 30 * 86_400.0


def get_image_set(context: Context, parameters: Parameters) -> Result:
    """GetImageSet: not an access, so it moves no image set between tiers."""
    datastore_id, image_set_id = parameters["datastoreId"], parameters["imageSetId"]
    now, asked = context.now(), parameters.get("versionId")
    with context.store.read() as connection:
        version = require_version(context, connection, datastore_id, image_set_id, asked)
        if asked is None:
            version = _latest_shown(context, connection, datastore_id, version)
    return {
        "datastoreId": datastore_id,
        **_properties(context, "GetImageSet", version, now),
        "imageSetWorkflowStatus": version.state(now)[1],
        "imageSetArn": image_set_arn(datastore_id, image_set_id),
        "lastAccessedAt": version.accessed_at,
        "storageTier": storage_tier(version.accessed_at, now),
    }


def _latest_shown(
    context: Context, connection: sqlite3.Connection, datastore_id: str, version: Version
) -> Version:
    """The latest version that reads show by now."""
    lag, now = context.behaviours.number_lag_seconds, context.now()
    while lag and version.version > 1 and now < version.updated_at + lag:
        version = _before(connection, datastore_id, version)
    return version


def _before(connection: sqlite3.Connection, datastore_id: str, version: Version) -> Version:
    """The version before; version 1 has none and is returned itself."""
    found = newest_first(connection, datastore_id, version.image_set_id, version.version, 1)
    return found[0] if found else version


def storage_tier(accessed_at: float, now: float) -> str:
    """The storage tier, from the time of the last access."""
    recent = now - accessed_at < _ARCHIVED_AFTER_SECONDS
    return "FREQUENT_ACCESS" if recent else "ARCHIVE_INSTANT_ACCESS"


def _properties(context: Context, operation: str, version: Version, now: float) -> Result:
    state, _ = version.state(now)
    properties: Result = {
        "imageSetId": version.image_set_id,
        "versionId": str(version.version),
        "imageSetState": state,
        "createdAt": version.created_at,
    }
    if operation in context.behaviours.is_primary_in:
        properties["isPrimary"] = bool(version.is_primary)
    if version.version > 1 or context.behaviours.first_version_has_updated_at:
        properties["updatedAt"] = version.updated_at
    if version.message and now >= version.ready_at:
        properties["message"] = version.message
    if version.forced:
        properties["overrides"] = {"forced": True}
    deleted_at = version.deleted_at(now)
    if deleted_at is not None:
        properties["deletedAt"] = deleted_at
    return properties


def get_image_set_metadata(context: Context, parameters: Parameters) -> Result:
    """GetImageSetMetadata: an access. A version that is not ready has no metadata yet."""
    datastore_id, image_set_id = parameters["datastoreId"], parameters["imageSetId"]
    asked = parameters.get("versionId")
    now = context.now()
    with context.store.read() as connection:
        version = require_version(context, connection, datastore_id, image_set_id, asked)
        if version.deleted_at(now) is not None:
            raise not_found("The image set is deleted.")
        if now < version.ready_at and asked is None:
            if context.behaviours.unversioned_read_while_updating == "conflict":
                raise conflict("The image set is LOCKED.")
            version = _before(connection, datastore_id, version)
        is_ready = now >= version.ready_at and not _is_without(context, version)
        shown = _content_shown(context, connection, datastore_id, version) if is_ready else None
        data = document_bytes(connection, datastore_id, shown) if shown else None
        if data is None:
            raise not_found("The requested version of the image set has no metadata.")
        touch(connection, datastore_id, image_set_id, now)
    return {
        "imageSetMetadataBlob": _with_undescribed(context, version, data),
        "contentType": "application/json",
        "contentEncoding": "gzip",
    }


def _content_shown(
    context: Context, connection: sqlite3.Connection, datastore_id: str, version: Version
) -> Version | None:
    """The version whose content is shown for a version that is ready; None if there is none yet."""
    behaviours = context.behaviours
    is_late = context.now() < version.ready_at + behaviours.content_lag_seconds
    if version.version == 1 or not is_late:
        return version
    if behaviours.content_until_then == "missing":
        return None
    return _before(connection, datastore_id, version)


def _with_undescribed(context: Context, version: Version, data: bytes) -> bytes:
    """The document with fields that no documentation describes."""
    if not context.behaviours.undescribed_fields or version.version == 1:
        return data
    document = decode(data)
    document["DocumentKind"] = "undescribed"
    for series in series_of(document).values():
        for instance in series["Instances"].values():
            instance["StorageClass"] = "undescribed"
    return encode(document)


def _is_without(context: Context, version: Version) -> bool:
    """Whether this is a failed update that left no metadata."""
    failed = version.end_status == "UPDATE_FAILED"
    return failed and context.behaviours.failed_version_metadata == "missing"


def list_image_set_versions(context: Context, parameters: Parameters) -> Result:
    """ListImageSetVersions: newest first. The model writes `ImageSetWorkflowStatus` so."""
    datastore_id, image_set_id = parameters["datastoreId"], parameters["imageSetId"]
    limit = parameters.get("maxResults", _MOST_RESULTS)
    position = page_position(parameters.get("nextToken"), int)
    now = context.now()
    with context.store.snapshot() as connection:
        latest = require_version(context, connection, datastore_id, image_set_id)
        shown = _latest_shown(context, connection, datastore_id, latest)
        below = position[0] if position else shown.version + 1
        found = newest_first(connection, datastore_id, image_set_id, below, limit + 1)
    entries = [
        _properties(context, "ListImageSetVersions", version, now)
        | {"ImageSetWorkflowStatus": version.state(now)[1]}
        for version in found[:limit]
    ]
    if context.behaviours.versions_order == "oldest-first":  # within a page
        entries.reverse()
    result: Result = {"imageSetPropertiesList": entries}
    if len(found) > limit:
        result["nextToken"] = page_token([found[limit - 1].version])
    return result


def delete_image_set(context: Context, parameters: Parameters) -> Result:
    """DeleteImageSet: LOCKED/DELETING, later DELETED/DELETED and no longer found by a search."""
    datastore_id, image_set_id = parameters["datastoreId"], parameters["imageSetId"]
    with context.store.write() as connection:
        now = context.now()
        version = require_version(context, connection, datastore_id, image_set_id)
        require_unlocked(version, now)
        until = now + context.update_seconds
        hold(connection, datastore_id, image_set_id, DELETING, until)
        hidden_at = until + context.behaviours.search_lag_seconds
        hide(connection, datastore_id, image_set_id, hidden_at, now)
    return {
        "datastoreId": datastore_id,
        "imageSetId": image_set_id,
        "imageSetState": "LOCKED",
        "imageSetWorkflowStatus": DELETING,
    }


def require_unlocked(version: Version, now: float) -> None:
    """Raise 404 where the image set is deleted, 409 where another write locks it."""
    state, _ = version.state(now)
    if state == "DELETED":
        raise not_found("The image set is deleted.")
    if state == "LOCKED":
        raise conflict("The image set is LOCKED.")
