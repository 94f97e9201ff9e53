"""Finds the baseline document, which shows what changed outside this repository."""

from __future__ import annotations

from reconciler.core.dicom.content import content_digest
from reconciler.core.model.diff import Reading
from reconciler.core.model.record import Entry
from reconciler.core.model.value import Document
from reconciler.core.survey.known import Known
from reconciler.core.survey.needs import Refusal, Survey, Why, document_of, properties_of

_GONE = (Why.NOT_FOUND, Why.REJECTED, Why.UNREADABLE)


def baseline(known: Known, entry: Entry, reading: Reading) -> Survey[Document | Refusal | None]:
    """Return the baseline document; None if no document is certain to be the baseline.

    The entry may belong to another data store with the same IDs and other versions.
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
    """Return the document of our last version: the recorded version, or one of a killed run.

    A version that a killed run made but could not record is not drift.
    """
    for version, digest in known.intended_since(entry, latest):
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
