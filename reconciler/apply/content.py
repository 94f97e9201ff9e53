"""Whether a version has the content that a step was to give it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.dicom.content import content_digest
from reconciler.core.dicom.service_fields import without_added
from reconciler.core.ports import ImageSets


@dataclass(frozen=True, slots=True)
class Content:
    """The answer. `added` are fields of the service that the version before lacks."""

    is_expected: bool
    added: tuple[str, ...] = ()


def content(port: ImageSets, image_set_id: str, version: str, digest: str, before: str) -> Content:
    """Compare the content of a version with the digest of what was expected.

    `before` is the version from which it was made. It is read only if the two differ: the service
    may have added fields of its own. Raises ServiceError, NotFoundError where there is no document.
    """
    document = port.metadata(image_set_id, version)
    if content_digest(document) == digest:
        return Content(True)
    kept, added = without_added(document, port.metadata(image_set_id, before))
    return Content(bool(added) and content_digest(kept) == digest, added)
