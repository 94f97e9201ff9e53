"""The survey of the baselines of an image set: what is compared with the live document.

Each path has its own baseline, so several versions may be needed. Only the changed paths count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.core.dicom.content import content_digest
from reconciler.core.dicom.shape import misshapen
from reconciler.core.diff import History, consents_of, with_drift
from reconciler.core.diff.locate import renames
from reconciler.core.diff.merge import merged, with_accepted
from reconciler.core.diff.missing import Missing, is_proven
from reconciler.core.diff.unverified import (
    acceptances,
    requests_of,
    versions_to_read,
    with_unverified,
)
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.diff import Diff
from reconciler.core.model.observed import Properties
from reconciler.core.model.record import Entry, Evidence, ranked
from reconciler.core.model.value import Document
from reconciler.core.survey.known import Known
from reconciler.core.survey.needs import Refusal, Survey, Why, document_of, properties_of

_GONE = (Why.NOT_FOUND, Why.REJECTED, Why.UNREADABLE)


def judged(found: Diff, known: Known, *, whole: bool = True) -> Survey[Diff | Refusal]:
    """The diff, with drift judged change by change.

    `whole` is false if it holds only what is asked of the study of an image set.
    """
    reading = found.reading
    unverified = reading.entry.unverified if reading.entry is not None else ()
    if not (found.changes or found.missing or unverified) or reading.document is None:
        return found
    assert reading.properties is not None
    refuted = yield from refuted_version(reading.entry, reading.properties)
    if isinstance(refuted, Refusal):
        return refuted
    entry = yield from _with_attempts(reading.entry, refuted, reading.properties, found, known)
    if isinstance(entry, Refusal):
        return entry
    recorded: Mapping[str, str] = {}
    if entry is not None:
        found = replace(
            found, acceptances=acceptances(found.ask, entry, known.of_studies, whole=whole)
        )
        # What our own update stored is no drift, accepted or not.
        recorded = with_accepted(entry, entry.unverified).baselines
    drifted = yield from _with_drift(found, recorded, refuted)
    if isinstance(drifted, Refusal):
        return drifted
    found = replace(drifted, requests=requests_of(drifted))
    if not is_proven(found, None if refuted else reading.entry):
        explained = yield from _with_missing(found, recorded)
        if isinstance(explained, Refusal):
            return explained
        found = explained
    return (yield from _checked(found, entry)) if entry is not None else found


def _with_drift(found: Diff, recorded: Mapping[str, str], refuted: str) -> Survey[Diff | Refusal]:
    """The diff, with each change compared with its baseline."""
    reading = found.reading
    assert reading.document is not None
    history = History(reading.document, reading.live_versions, recorded, renames(found.ask.claims))
    wanted = {history.baseline(sourced.change) for sourced in found.changes}
    while True:
        missing = sorted(filter(history.needs, wanted), key=int)
        documents = yield from _documents(found, missing)
        if isinstance(documents, Refusal):
            return documents
        history = history.beside(documents)
        found = with_drift(found, history, refuted)
        wanted = _consents(found)
        if not any(map(history.needs, wanted)):
            return found


def _with_missing(found: Diff, recorded: Mapping[str, str]) -> Survey[Diff | Refusal]:
    """The diff, with the blocks of removals that have not converged, though nothing is there."""
    missing = Missing(found, recorded)
    while version := missing.next_version():
        documents = yield from _documents(found, [version])
        if isinstance(documents, Refusal):
            return documents
        missing.add(version, documents[version])
    return missing.judged()


def _checked(found: Diff, entry: Entry) -> Survey[Diff | Refusal]:
    """The diff, with the blocks of versions that our updates made otherwise than planned."""
    versions = sorted(versions_to_read(found, entry), key=int)
    documents = yield from _documents(found, versions)
    if isinstance(documents, Refusal):
        return documents
    return with_unverified(found, entry, documents)


def _consents(found: Diff) -> set[str]:
    """The versions whose value a manifest permits to overwrite; needed for what has drifted."""
    live = max(map(int, found.reading.live_versions))
    return {
        version
        for sourced in found.changes
        if sourced.change.drifted
        for version in consents_of(sourced)
        if ranked(sourced.change.baseline) < int(version) <= live
    }


def _documents(
    found: Diff, versions: Iterable[str]
) -> Survey[dict[str, Document | None] | Refusal]:
    """The documents of some versions; None for one that cannot be read."""
    documents: dict[str, Document | None] = {}
    for version in versions:
        answer = yield from _document_at(found, version)
        if isinstance(answer, Refusal):
            if answer.why not in _GONE:
                return answer
            documents[version] = None
        else:
            documents[version] = None if misshapen(answer) else answer
    return documents


def refuted_version(entry: Entry | None, live: Properties) -> Survey[str | Refusal]:
    """The version of an entry that the service contradicts, "" where it shows what is recorded.

    The entry may belong to another data store with the same IDs and other versions.
    """
    if entry is None or entry.is_at(live):
        return ""
    if entry.is_refuted_by(live):
        return entry.version_id
    recorded = yield from properties_of(entry.image_set_id, entry.version_id)
    if isinstance(recorded, Refusal):
        return entry.version_id if recorded.why is Why.NOT_FOUND else recorded
    return "" if entry.is_at(recorded) else entry.version_id


def _with_attempts(
    entry: Entry | None, refuted: str, live: Properties, found: Diff, known: Known
) -> Survey[Entry | Refusal | None]:
    """The entry as it would be if interrupted runs of ours had recorded what they made."""
    if entry is not None and refuted:
        return entry.disbelieved
    for attempt, versions in known.meant_since(live.image_set_id, live.version_id):
        for version, digest in versions:
            made = yield from _document_at(found, version)
            if isinstance(made, Refusal):
                if made.why not in _GONE:
                    return made
            elif content_digest(made) == digest:
                entry = merged(entry, _made(attempt, version, live))
                break
    return entry


def _document_at(found: Diff, version: str) -> Survey[Document | Refusal]:
    document = found.reading.document
    if document is not None and version in found.reading.live_versions:
        return document
    return (yield from document_of(found.image_set_id, version))


def _made(attempt: Attempt, version: str, live: Properties) -> Evidence:
    return Evidence(
        attempt.datastore_id,
        attempt.image_set_id,
        version,
        attempt.before,
        None,
        live.created_at,
        live.arn,
        converged=attempt.converged_at(version),
        converged_of_study=attempt.of_study if version == attempt.last[0] else (),
    )
