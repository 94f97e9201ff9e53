"""The document that a live one is compared with, to see what changed outside this repository."""

from __future__ import annotations

from reconciler.core.dicom.content import content_digest
from reconciler.core.model.diff import Reading
from reconciler.core.model.record import Entry
from reconciler.core.model.value import Document
from reconciler.core.survey.known import Known
from reconciler.core.survey.needs import Refusal, Survey, Why, document_of, properties_of

_GONE = (Why.NOT_FOUND, Why.REJECTED, Why.UNREADABLE)


def baseline(known: Known, entry: Entry, reading: Reading) -> Survey[Document | Refusal | None]:
    """The baseline document; None where there is none that can be believed.

    The entry may be of another store with the same IDs, where the same number is another version.
    """
    assert reading.properties is not None
    if not entry.is_of(reading.properties):
        return None
    recorded = yield from properties_of(entry.image_set_id, entry.version_id)
    if isinstance(recorded, Refusal):
        return None if recorded.why is Why.NOT_FOUND else recorded
    if not entry.is_at(recorded):
        return None
    if reading.origin:
        return reading.document
    return (yield from _last_ours(known, entry, reading.properties.version_id))


def _last_ours(known: Known, entry: Entry, latest: str) -> Survey[Document | Refusal | None]:
    """The document of the last version that is ours: the recorded one, or a killed run's later one.

    What an apply of ours has made did not drift, though it could not record it any more.
    """
    for version, digest in known.meant_since(entry, latest):
        made = yield from document_of(entry.image_set_id, version)
        if isinstance(made, Refusal):
            if made.why not in _GONE:
                return made
        elif content_digest(made) == digest:
            return made
    recorded = yield from document_of(entry.image_set_id, entry.version_id)
    if isinstance(recorded, Refusal) and recorded.why in _GONE:
        return None
    return recorded
