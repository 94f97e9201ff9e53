"""Implements `reconciler.core.ports.ImageSets` with the medical-imaging client of boto3."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Any

from reconciler.core.errors import NoAnswerError, UnreadableError
from reconciler.core.model.observed import Properties, SearchPage, Summary
from reconciler.core.model.plan import Step
from reconciler.core.model.search_filter import Filters, Span
from reconciler.core.model.value import Document
from reconciler.core.ports import ImageSets
from reconciler.edges.aws.metadata import GarbledError, read_document
from reconciler.edges.aws.problems import Target, translated

_BODY_ATTEMPTS = 3
_VERSION = re.compile("[0-9]{1,18}")
_PAGE = 50  # the maximum of maxResults in the service model
# createdAt never changes. In the default order, by updatedAt, an image set that changes during the
# search would move to a page that was already read.
_SORT = {"sortField": "createdAt", "sortOrder": "ASC"}


class BotoImageSets(ImageSets):
    """The image sets of one data store. `writes` must be a client that never retries."""

    def __init__(self, reads: Any, writes: Any, target: Target) -> None:
        self._reads = reads
        self._writes = writes
        self._target = target

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        """GetImageSet."""
        with translated("GetImageSet", self._target, image_set_id):
            answer = self._reads.get_image_set(**self._address(image_set_id, version_id))
            found = _properties("GetImageSet", answer, answer.get("imageSetWorkflowStatus"))
        asked = (image_set_id, version_id or found.version_id)
        if (found.image_set_id, found.version_id) != asked:
            raise _unreadable("GetImageSet", image_set_id, "the answer is for another version")
        return found

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        """GetImageSetMetadata. botocore retries the request but not reading the body; this does."""
        for _ in range(_BODY_ATTEMPTS - 1):
            try:
                return self._metadata(image_set_id, version_id)
            except (NoAnswerError, GarbledError):
                continue
        return self._metadata(image_set_id, version_id)

    def _metadata(self, image_set_id: str, version_id: str) -> Document:
        with translated("GetImageSetMetadata", self._target, image_set_id):
            answer = self._reads.get_image_set_metadata(**self._address(image_set_id, version_id))
            return Document(read_document(answer["imageSetMetadataBlob"], image_set_id, version_id))

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        """ListImageSetVersions, by number."""
        found: list[Properties] = []
        with translated("ListImageSetVersions", self._target, image_set_id):
            for answer in self._answers(
                "ListImageSetVersions",
                self._reads.list_image_set_versions,
                self._address(image_set_id),
            ):
                # The service model has a capital I here, but a small i in GetImageSet.
                found += (
                    _properties("ListImageSetVersions", row, row.get("ImageSetWorkflowStatus"))
                    for row in answer["imageSetPropertiesList"]
                )
        return tuple(sorted(found, key=lambda row: int(row.version_id)))

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        """SearchImageSets, page by page."""
        criteria: dict[str, Any] = {"sort": _SORT}
        if filters:
            criteria["filters"] = [_filter(name, value) for name, value in filters]
        request = {"datastoreId": self._target.datastore_id, "searchCriteria": criteria}
        with translated("SearchImageSets", self._target):
            yield from map(
                _search_page,
                self._answers("SearchImageSets", self._reads.search_image_sets, request),
            )

    def update(self, step: Step) -> str:
        """UpdateImageSetMetadata, once."""
        request = self._address(step.image_set_id)
        request["latestVersionId"] = step.pin
        request["updateImageSetMetadataUpdates"] = _updates(step)
        if step.force:
            request["force"] = True
        if step.study_wide:
            request["includeStudyImageSets"] = True
        with translated("UpdateImageSetMetadata", self._target, step.image_set_id):
            return str(self._writes.update_image_set_metadata(**request)["latestVersionId"])

    def _answers(
        self, operation: str, call: Callable[..., dict[str, Any]], request: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Call until an answer has no nextToken.

        The paginator of botocore notices a token that is the same twice in a row, but no longer
        circle of tokens.
        """
        request = {**request, "maxResults": _PAGE}
        tokens: set[bytes] = set()
        while True:
            answer = call(**request)
            yield answer
            token = answer.get("nextToken")
            if not token:
                return
            if _digest(token) in tokens:
                raise _endless(operation, self._target)
            tokens.add(_digest(token))
            request["nextToken"] = token

    def _address(self, image_set_id: str, version_id: str | None = None) -> dict[str, Any]:
        address = {"datastoreId": self._target.datastore_id, "imageSetId": image_set_id}
        return address if version_id is None else {**address, "versionId": version_id}


def _digest(token: object) -> bytes:
    """A token of any length in few bytes: a search of a million image sets has 20,000."""
    return blake2b(str(token).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _endless(operation: str, target: Target) -> UnreadableError:
    return UnreadableError(
        f"{operation}: {target.title}: the service gives the same nextToken again",
        "The list is not complete. Run the command again.",
        operation=operation,
    )


def _filter(name: str, value: str | Span) -> dict[str, Any]:
    if not isinstance(value, Span):
        return {"operator": "EQUAL", "values": [{name: value}]}
    bounds = [{name: _bound(bound)} for bound in (value.lower, value.upper)]
    return {"operator": "BETWEEN", "values": bounds}


def _bound(bound: int | str) -> datetime | dict[str, str]:
    """A moment, or the begin of a day. The examples of AWS state the time of day, too."""
    if isinstance(bound, int):
        return datetime.fromtimestamp(bound, UTC)
    return {"DICOMStudyDate": bound, "DICOMStudyTime": "000000"}


def _updates(step: Step) -> dict[str, Any]:
    if step.revert_to is not None:
        return {"revertToVersionId": step.revert_to}
    blobs = {"updatableAttributes": step.updatable, "removableAttributes": step.removable}
    return {
        "DICOMUpdates": {
            name: text.encode("utf-8", "surrogatepass")
            for name, text in blobs.items()
            if text is not None
        }
    }


def _unreadable(operation: str, image_set_id: str, problem: str) -> UnreadableError:
    return UnreadableError(f"{operation}, image set {image_set_id}: {problem}", operation=operation)


def _is_primary(row: dict[str, Any]) -> bool | None:
    """Return None if the answer has no isPrimary: the service model does not require it."""
    found = row.get("isPrimary")
    return found if isinstance(found, bool) else None


def _properties(operation: str, row: dict[str, Any], workflow_status: str | None) -> Properties:
    image_set_id, version_id = row["imageSetId"], str(row["versionId"])
    if not _VERSION.fullmatch(version_id):
        raise _unreadable(operation, image_set_id, "its versionId is not a number")
    return Properties(
        image_set_id=image_set_id,
        version_id=version_id,
        state=row["imageSetState"],
        workflow_status=workflow_status or "",
        is_primary=_is_primary(row),
        message=row.get("message") or "",
        updated_at=_seconds(row.get("updatedAt")),
        created_at=_seconds(row.get("createdAt")),
        arn=row.get("imageSetArn") or "",
        storage_tier=row.get("storageTier") or "",
    )


def _search_page(answer: dict[str, Any]) -> SearchPage:
    return SearchPage(
        rows=tuple(map(_summary, answer["imageSetsMetadataSummaries"])),
        date=_date(answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")),
        is_last=not answer.get("nextToken"),
    )


def _date(header: str) -> float | None:
    """Return epoch seconds, or None for a text that is not a moment (RFC 9110, 5.6.7)."""
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return None if moment.tzinfo is None else moment.timestamp()


def _summary(row: dict[str, Any]) -> Summary:
    return Summary(
        image_set_id=row["imageSetId"],
        version_id=str(row.get("version", "")),  # an integer here, a string in all other answers
        is_primary=_is_primary(row),
        updated_at=_seconds(row.get("updatedAt")),
        created_at=_seconds(row.get("createdAt")),
        last_accessed_at=_seconds(row.get("lastAccessedAt")),
        storage_tier=row.get("storageTier") or "",
        tags=tuple(sorted((name, str(value)) for name, value in row.get("DICOMTags", {}).items())),
    )


def _seconds(moment: datetime | None) -> float | None:
    """Return epoch seconds to the millisecond, the precision of the service and of records."""
    return None if moment is None else round(moment.timestamp(), 3)
