"""Implements `reconciler.core.ports.ImageSets` with the medical-imaging client of boto3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from reconciler.core.errors import NoAnswerError
from reconciler.core.model.observed import Properties, SearchPage
from reconciler.core.model.plan import Step
from reconciler.core.model.search_filter import Filters, Span
from reconciler.core.model.value import Document
from reconciler.core.ports import ImageSets
from reconciler.edges.aws.metadata import GarbledError, read_document
from reconciler.edges.aws.paging import Pages
from reconciler.edges.aws.problems import Target, translated
from reconciler.edges.aws.rows import get_properties, listed_properties, search_page, unreadable

_BODY_ATTEMPTS = 3
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
            found = get_properties(
                self._reads.get_image_set(**self._address(image_set_id, version_id))
            )
        asked = (image_set_id, version_id or found.version_id)
        if (found.image_set_id, found.version_id) != asked:
            raise unreadable("GetImageSet", image_set_id, "the answer is for another version")
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
        pages = Pages(
            "ListImageSetVersions",
            self._reads.list_image_set_versions,
            self._address(image_set_id),
            listed_properties,
            self._target,
            image_set_id,
        )
        return tuple(sorted(chain.from_iterable(pages), key=lambda row: int(row.version_id)))

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        """SearchImageSets, page by page."""
        criteria: dict[str, Any] = {"sort": _SORT}
        if filters:
            criteria["filters"] = [_filter(name, value) for name, value in filters]
        request = {"datastoreId": self._target.datastore_id, "searchCriteria": criteria}
        search = self._reads.search_image_sets
        return Pages("SearchImageSets", search, request, search_page, self._target)

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

    def _address(self, image_set_id: str, version_id: str | None = None) -> dict[str, Any]:
        address = {"datastoreId": self._target.datastore_id, "imageSetId": image_set_id}
        return address if version_id is None else {**address, "versionId": version_id}


def _filter(name: str, value: str | bool | Span) -> dict[str, Any]:
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
