"""Reads the document of the latest version, or of the last good version before a failed one."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.dicom.shape import misshapen
from reconciler.core.model.observed import Observed, Properties, Unread
from reconciler.core.model.workflow_status import Verdict, verdict
from reconciler.core.survey.known import Known
from reconciler.core.survey.needs import (
    AGAIN,
    Refusal,
    Survey,
    Why,
    document_of,
    properties_of,
    versions_of,
)

_MAY_HAVE_NONE = (Why.NOT_FOUND, Why.LOCKED, Why.REJECTED)
_MOVED = Unread(
    "another process changed it while it was read", "Nothing to fix: run `reconcile plan` again."
)


def latest_document(properties: Properties, known: Known) -> Survey[Observed | Refusal]:
    """Read the document of an image set that was ACTIVE.

    AWS does not document whether a failed version has a document (decision 0002, U9).
    """
    document = yield from document_of(properties.image_set_id, properties.version_id)
    if isinstance(document, Refusal):
        if document.why not in _MAY_HAVE_NONE:
            return document
        return (yield from _second_look(properties, document))
    origin = "" if misshapen(document) else known.origin(properties, document)
    return Observed(properties, document, origin)


def _second_look(first: Properties, refusal: Refusal) -> Survey[Observed | Refusal]:
    """Look again after a failed read: the version may have failed, changed, or been deleted."""
    latest = yield from properties_of(first.image_set_id, again=True)
    if isinstance(latest, Refusal):
        return latest
    if latest.state != "ACTIVE":
        return Observed(latest, None)
    if latest.version_id != first.version_id:
        return Observed(latest, None, unread=_MOVED)
    if verdict(latest.state, latest.workflow_status) is not Verdict.FAILED:
        return Observed(latest, None, unread=_no_metadata(refusal, first.version_id))
    versions = yield from versions_of(latest.image_set_id)
    if isinstance(versions, Refusal):
        return versions
    good = _last_good(versions, latest)
    if not good:
        return Observed(latest, None, unread=_no_metadata(refusal, first.version_id))
    document = yield from document_of(latest.image_set_id, good)
    if not isinstance(document, Refusal):
        return Observed(latest, document, good_version=good)
    if document.why not in _MAY_HAVE_NONE:
        return document
    return Observed(latest, None, unread=_no_metadata(document, good))


def _last_good(versions: Iterable[Properties], latest: Properties) -> str:
    """Return the last version before a failed one that did not fail; "" if there is none."""
    return max(
        (
            row.version_id
            for row in versions
            if int(row.version_id) < int(latest.version_id)
            and verdict(row.state, row.workflow_status) is Verdict.DONE
        ),
        key=int,
        default="",
    )


def _no_metadata(refusal: Refusal, version: str) -> Unread:
    return Unread(f"{refusal.operation} failed for version {version} ({refusal.code})", AGAIN)
