"""Reading image sets: their properties always, their documents only where they are needed.

GetImageSetMetadata moves an image set to the Frequent Access tier for 30 days (devguide, cost
optimization), GetImageSet and SearchImageSets do not. So a document is read only when the record
does not already say that this very ask was seen converged at this very version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TypeVar

from reconciler.dicom.content import content_digest, study_instance_uid
from reconciler.diff import diff, is_recorded
from reconciler.errors import NotFoundError
from reconciler.model.ask import ImageSetAsk
from reconciler.model.attempt import Attempt
from reconciler.model.diff import Diff, Reading
from reconciler.model.observed import Observed, Properties, Summary
from reconciler.model.plan import Step
from reconciler.model.record import Entry
from reconciler.model.settings import Rules
from reconciler.model.value import Document
from reconciler.plan import Study, members_filters, needs_study
from reconciler.ports import ImageSets

WORKERS = 16
In = TypeVar("In")
Out = TypeVar("Out")


class Counted:
    """An image-set port that counts its calls by operation, for the statistics of a plan."""

    def __init__(self, port: ImageSets) -> None:
        self._port = port
        self._lock = Lock()
        self._calls: dict[str, int] = defaultdict(int)

    @property
    def calls(self) -> Mapping[str, int]:
        """Calls so far, by AWS operation name, sorted."""
        return dict(sorted(self._calls.items()))

    def _count(self, operation: str) -> None:
        with self._lock:
            self._calls[operation] += 1

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        """GetImageSet."""
        self._count("GetImageSet")
        return self._port.get(image_set_id, version_id)

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        """GetImageSetMetadata."""
        self._count("GetImageSetMetadata")
        return self._port.metadata(image_set_id, version_id)

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        """ListImageSetVersions."""
        self._count("ListImageSetVersions")
        return self._port.versions(image_set_id)

    def search(self, filters: tuple[tuple[str, str], ...] = ()) -> Iterator[Summary]:
        """SearchImageSets."""
        self._count("SearchImageSets")
        return self._port.search(filters)

    def update(self, step: Step) -> str:
        """UpdateImageSetMetadata."""
        self._count("UpdateImageSetMetadata")
        return self._port.update(step)


@dataclass(frozen=True, slots=True)
class Known:
    """What this repository knows of a data store: records, and what killed applies have left."""

    entries: Mapping[str, Entry]
    attempts: Mapping[str, Sequence[Attempt]] = field(default_factory=dict)

    def origin(self, properties: Properties, document: Document) -> str:
        """The version before an apply of ours that was killed when it had made this one, or "".

        Its content proves it. What is recorded at this version was not left unfinished.
        """
        entry = self.entries.get(properties.image_set_id)
        if entry is not None and entry.version_id == properties.version_id:
            return ""
        name, version = properties.image_set_id, properties.version_id
        found = [
            (one.before, dict(one.versions).get(version)) for one in self.attempts.get(name, ())
        ]
        held = content_digest(document) if any(digest for _, digest in found) else None
        return next((before for before, digest in found if digest and digest == held), "")

    def meant_since(self, entry: Entry, latest: str) -> Sequence[tuple[str, str]]:
        """Versions after the recorded one that killed applies meant to make, the last one first."""
        meant = {
            (version, digest)
            for attempt in self.attempts.get(entry.image_set_id, ())
            for version, digest in attempt.versions
            if int(entry.version_id) < int(version) <= int(latest)
        }
        return sorted(meant, key=lambda one: int(one[0]), reverse=True)


def observe(
    port: ImageSets, asks: Sequence[ImageSetAsk], known: Known, rules: Rules
) -> tuple[tuple[Diff, ...], tuple[Study, ...]]:
    """Read every asked image set, and the studies of primaries that must move as one.

    Raises a ServiceError where the data store cannot be seen at all.
    """
    diffs = _side_by_side(lambda ask: examine(port, ask, known, rules), asks)
    if any(found.reading.properties is None for found in diffs):
        # A 404 may mean the data store, too (§10, U19): a search tells, it raises then.
        next(iter(port.search()), None)
    studies = _studies(port, diffs, known)
    members = {
        member.properties.image_set_id: member for study in studies for member in study.members
    }
    whole = (_with_document(found, members.get(found.image_set_id), rules) for found in diffs)
    return tuple(whole), studies


def examine(port: ImageSets, ask: ImageSetAsk, known: Known, rules: Rules) -> Diff:
    """Read one image set as far as it takes to know its changes, and whether they drifted."""
    entry = known.entries.get(ask.image_set_id)
    try:
        properties = port.get(ask.image_set_id)
    except NotFoundError:
        return diff(ask, Reading(None, entry=entry), rules)
    reading = Reading(properties, entry=entry)
    if properties.state != "ACTIVE" or is_recorded(ask, entry, properties):
        return diff(ask, reading, rules)
    document = port.metadata(ask.image_set_id, properties.version_id)
    origin = known.origin(properties, document)
    reading = replace(_with_target(port, ask, reading), document=document, origin=origin)
    found = diff(ask, reading, rules)
    if found.changes and entry is not None and entry.version_id != properties.version_id:
        recorded = document if origin else _last_ours(port, known, entry, properties.version_id)
        found = diff(ask, replace(reading, recorded=recorded), rules)
    return found


def _last_ours(port: ImageSets, known: Known, entry: Entry, latest: str) -> Document | None:
    """The document of the last version that is ours: the recorded one, or a killed run's later one.

    What an apply of ours has made did not drift, though it could not record it any more.
    """
    for version, digest in known.meant_since(entry, latest):
        made = _document_or_none(port, entry.image_set_id, version)
        if made is not None and content_digest(made) == digest:
            return made
    return _document_or_none(port, entry.image_set_id, entry.version_id)


def _with_target(port: ImageSets, ask: ImageSetAsk, reading: Reading) -> Reading:
    revert, current = ask.revert, reading.properties
    if revert is None or current is None or int(revert.version_id) > int(current.version_id):
        return reading
    try:
        properties = port.get(ask.image_set_id, revert.version_id)
    except NotFoundError:
        return reading
    target = _document_or_none(port, ask.image_set_id, revert.version_id)
    return replace(reading, target=target, target_properties=properties)


def _document_or_none(port: ImageSets, image_set_id: str, version_id: str) -> Document | None:
    try:
        return port.metadata(image_set_id, version_id)
    except NotFoundError:
        return None


def _with_document(found: Diff, member: Observed | None, rules: Rules) -> Diff:
    """A diff that was cut short because its record is valid, made whole for its study."""
    reading = found.reading
    if reading.document is not None or member is None or member.document is None:
        return found
    return diff(found.ask, replace(reading, document=member.document), rules)


def _studies(port: ImageSets, diffs: Sequence[Diff], known: Known) -> tuple[Study, ...]:
    observed = {
        found.image_set_id: Observed(
            found.reading.properties, found.reading.document, found.reading.origin
        )
        for found in diffs
        if found.reading.properties is not None
    }
    uids = {
        study_instance_uid(found.reading.document)
        for found in diffs
        if found.reading.document is not None and needs_study(found)
    }
    # A document without a UID belongs to no study that could be found; `build` refuses it.
    return tuple(_study(port, uid, observed, known) for uid in sorted(uids - {""}))


def _study(port: ImageSets, uid: str, observed: Mapping[str, Observed], known: Known) -> Study:
    """All primaries of a study. Search finds them, GetImageSet confirms (§10, U14)."""
    summaries = port.search(members_filters(uid))
    found = {summary.image_set_id for summary in summaries}
    found |= {
        image_set_id
        for image_set_id, one in observed.items()
        if one.properties.is_primary
        and one.document is not None
        and study_instance_uid(one.document) == uid
    }
    members = _side_by_side(
        lambda one: _member(port, uid, one, observed.get(one), known), sorted(found)
    )
    return Study(uid, tuple(member for member in members if member is not None))


def _member(
    port: ImageSets, uid: str, image_set_id: str, observed: Observed | None, known: Known
) -> Observed | None:
    """One primary of a study; None where search told of one that it is not any more."""
    try:
        properties = observed.properties if observed else port.get(image_set_id)
    except NotFoundError:
        return None
    if not properties.is_primary or properties.state == "DELETED":
        return None
    if properties.state != "ACTIVE":
        return Observed(properties, None)
    if observed is None or observed.document is None:
        document = port.metadata(image_set_id, properties.version_id)
        observed = Observed(properties, document, known.origin(properties, document))
    of_the_study = observed.document and study_instance_uid(observed.document) == uid
    return observed if of_the_study else None


def _side_by_side(work: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
    """Reads next to each other, results in the order of the items; the first error is raised."""
    pool = ThreadPoolExecutor(WORKERS)
    try:
        return list(pool.map(work, items))
    finally:
        # After an error or Ctrl-C nobody waits for the others: a call that hangs takes minutes.
        pool.shutdown(wait=False, cancel_futures=True)
