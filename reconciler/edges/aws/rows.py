"""Answers of the service -> our values."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from reconciler.core.errors import UnreadableError
from reconciler.core.model.observed import Properties, SearchPage, Summary

_VERSION = re.compile("[0-9]{1,18}")


def get_properties(answer: dict[str, Any]) -> Properties:
    """Return the properties in an answer of GetImageSet."""
    return _properties("GetImageSet", answer, answer.get("imageSetWorkflowStatus"))


def listed_properties(answer: dict[str, Any]) -> list[Properties]:
    """Return the properties in an answer of ListImageSetVersions."""
    # The service model has a capital I here, but a small i in GetImageSet.
    return [
        _properties("ListImageSetVersions", row, row.get("ImageSetWorkflowStatus"))
        for row in _rows(answer, "imageSetPropertiesList")
    ]


def search_page(answer: dict[str, Any]) -> SearchPage:
    """Return an answer of SearchImageSets."""
    return SearchPage(
        rows=tuple(map(_summary, _rows(answer, "imageSetsMetadataSummaries"))),
        date=_date(answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")),
        is_last=not answer.get("nextToken"),
    )


def unreadable(operation: str, image_set_id: str, problem: str) -> UnreadableError:
    """Return the error for an answer about an image set that cannot be used."""
    return UnreadableError(f"{operation}, image set {image_set_id}: {problem}", operation=operation)


def _rows(answer: dict[str, Any], member: str) -> list[dict[str, Any]]:
    """Raise KeyError for an answer without the list, and for a null in the list."""
    rows: list[dict[str, Any]] = answer[member]
    if None in rows:
        raise KeyError(member)
    return rows


def _is_primary(row: dict[str, Any]) -> bool | None:
    """Return None if the answer has no isPrimary: the service model does not require it."""
    found = row.get("isPrimary")
    return found if isinstance(found, bool) else None


def _properties(operation: str, row: dict[str, Any], workflow_status: str | None) -> Properties:
    image_set_id, version_id = row["imageSetId"], str(row["versionId"])
    if not _VERSION.fullmatch(version_id):
        raise unreadable(operation, image_set_id, "its versionId is not a number")
    return Properties(
        image_set_id=image_set_id,
        version_id=version_id,
        state=row["imageSetState"],
        workflow_status=workflow_status or "",
        is_primary=_is_primary(row),
        message=row.get("message") or "",
        updated_at=seconds(row.get("updatedAt")),
        created_at=seconds(row.get("createdAt")),
        arn=row.get("imageSetArn") or "",
        storage_tier=row.get("storageTier") or "",
    )


def _summary(row: dict[str, Any]) -> Summary:
    tags = row.get("DICOMTags", {})
    return Summary(
        image_set_id=row["imageSetId"],
        version_id=str(row.get("version", "")),  # an integer here, a string in all other answers
        is_primary=_is_primary(row),
        updated_at=seconds(row.get("updatedAt")),
        created_at=seconds(row.get("createdAt")),
        last_accessed_at=seconds(row.get("lastAccessedAt")),
        storage_tier=row.get("storageTier") or "",
        tags=tuple(sorted(zip(tags, map(str, tags.values()), strict=True))),
    )


def seconds(moment: datetime | float | None) -> float | None:
    """Return epoch seconds to the millisecond, the precision of the service and of records."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        if moment == (rounded := round(float(moment), 3)):
            return rounded
        # A datetime rounds to the microsecond first.
        moment = datetime.fromtimestamp(moment, UTC)
    return round(moment.timestamp(), 3)


def _date(header: str) -> float | None:
    """Return epoch seconds, or None for a text that is not a moment (RFC 9110, 5.6.7)."""
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return None if moment.tzinfo is None else moment.timestamp()
