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

from reconciler.core.dicom.content import content_digest, study_instance_uid
from reconciler.core.dicom.shape import misshapen
from reconciler.core.diff import diff, is_recorded
from reconciler.core.diff.guards import NOT_SAID, UNKNOWN_HINT
from reconciler.core.errors import (
    AccessDeniedError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServiceError,
    UnreadableError,
    about_one,
)
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.diff import Diff, Reading
from reconciler.core.model.observed import Observed, Properties, Summary, Unread
from reconciler.core.model.plan import Step
from reconciler.core.model.record import Entry
from reconciler.core.model.settings import Rules
from reconciler.core.model.value import Document
from reconciler.core.model.workflow_status import Wait, verdict
from reconciler.core.plan import Study, members_filters, needs_study
from reconciler.core.ports import ImageSets

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

        Its content proves it. What is recorded at this version was not left unfinished, and an
        image set of another history was not changed by us.
        """
        entry = self.entries.get(properties.image_set_id)
        if entry is not None and (entry.is_at(properties) or not entry.is_of(properties)):
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

    What cannot be read of one image set blocks its own action. Raises a ServiceError where the
    data store cannot be seen at all, or no call can succeed.
    """
    diffs = _side_by_side(lambda ask: examine(port, ask, known, rules), asks)
    if diffs and all(found.reading.properties is None for found in diffs):
        # Both 403 and 404 may mean the data store, too (decision 0002, U19): then search raises.
        next(iter(port.search()), None)
    studies = _studies(port, diffs, known)
    members = {
        member.properties.image_set_id: member for study in studies for member in study.members
    }
    whole = (_with_document(found, members.get(found.image_set_id), rules) for found in diffs)
    return tuple(whole), studies


def examine(port: ImageSets, ask: ImageSetAsk, known: Known, rules: Rules) -> Diff:
    """Read one image set as far as it takes to know its changes, and whether they drifted."""
    reading = Reading(None, entry=known.entries.get(ask.image_set_id))
    try:
        reading = replace(reading, properties=port.get(ask.image_set_id))
        return _examined(port, ask, known, rules, reading)
    except NotFoundError:
        return diff(ask, replace(reading, properties=None), rules)
    except ServiceError as error:
        return diff(ask, replace(reading, unread=_unread(error)), rules)


def _examined(
    port: ImageSets, ask: ImageSetAsk, known: Known, rules: Rules, reading: Reading
) -> Diff:
    entry, properties = reading.entry, reading.properties
    assert properties is not None
    if properties.state != "ACTIVE" or is_recorded(ask, entry, properties):
        return diff(ask, reading, rules)
    seen = _observed(port, properties, known)
    reading = replace(
        reading,
        properties=seen.properties,
        document=seen.document,
        origin=seen.origin,
        unread=seen.unread,
        good_version=seen.good_version,
    )
    if seen.document is None:
        return diff(ask, reading, rules)
    reading = _with_target(port, ask, reading)
    found = diff(ask, reading, rules)
    if found.changes and entry is not None and not entry.is_at(properties):
        recorded = _baseline(port, known, entry, reading)
        found = diff(ask, replace(reading, recorded=recorded), rules)
    return found


def _observed(port: ImageSets, properties: Properties, known: Known) -> Observed:
    """An image set that was ACTIVE, with its document.

    Whether a failed version has one is not documented (decision 0002, U9). Raises NotFoundError
    where the image set is gone.
    """
    name, version = properties.image_set_id, properties.version_id
    try:
        document = port.metadata(name, version)
    except (NotFoundError, ConflictError, RejectedError) as error:
        return _observed_again(port, properties, error)
    origin = "" if misshapen(document) else known.origin(properties, document)
    return Observed(properties, document, origin)


def _observed_again(port: ImageSets, properties: Properties, error: ServiceError) -> Observed:
    """After its latest version could not be read: it is failed, changed in between, or gone."""
    name, version = properties.image_set_id, properties.version_id
    latest = port.get(name)
    if latest.state != "ACTIVE":
        return Observed(latest, None)
    if latest.version_id != version:
        return Observed(latest, None, unread=_MOVED)
    good = (
        _last_good(port, latest)
        if verdict(latest.state, latest.workflow_status) is Wait.FAILED
        else ""
    )
    try:
        document = port.metadata(name, good) if good else None
    except (NotFoundError, ConflictError, RejectedError) as of_good:
        return Observed(latest, None, unread=_no_metadata(of_good, good))
    if document is None:
        return Observed(latest, None, unread=_no_metadata(error, version))
    return Observed(latest, document, good_version=good)


def _last_good(port: ImageSets, latest: Properties) -> str:
    """The last version before a failed one that did not fail; "" where there is none."""
    return max(
        (
            one.version_id
            for one in port.versions(latest.image_set_id)
            if int(one.version_id) < int(latest.version_id)
            and verdict(one.state, one.workflow_status) is Wait.DONE
        ),
        key=int,
        default="",
    )


_MOVED = Unread(
    "another process changed it while it was read", "Nothing to fix: run `reconcile plan` again."
)
_AGAIN = "Run `reconcile plan` again. If that stays so, ask AWS support about this image set."


def _no_metadata(error: ServiceError, version: str) -> Unread:
    return Unread(f"{error.operation} has no answer for version {version} ({error.code})", _AGAIN)


def _unread(error: ServiceError) -> Unread:
    """What a plan says of a read that failed for one image set. Raises it if it concerns all.

    The service's own text stays out: it may hold values, and a plan is stored.
    """
    if not about_one(error):
        raise error
    call = f"{error.operation} ({error.code})" if error.code else error.operation
    match error:
        case AccessDeniedError():
            hint = "Check that the caller's permissions include it: a policy may leave it out."
            return Unread(f"the service refuses the caller {call}", hint)
        case UnreadableError():
            return Unread(error.message, _AGAIN)
        case NoAnswerError():
            return Unread(f"no usable answer came to {call}", _AGAIN)
        case _:
            return Unread(f"the service refuses {call}", _AGAIN)


def _baseline(port: ImageSets, known: Known, entry: Entry, reading: Reading) -> Document | None:
    """The document that the live one is compared with; None where there is none to be believed.

    The entry may be of another store with the same IDs, where the same number is another version.
    """
    assert reading.properties is not None
    if not entry.is_of(reading.properties) or not _is_there(port, entry):
        return None
    if reading.origin:
        return reading.document
    return _last_ours(port, known, entry, reading.properties.version_id)


def _is_there(port: ImageSets, entry: Entry) -> bool:
    """Whether the service has the recorded version, with the times that were recorded."""
    try:
        return entry.is_at(port.get(entry.image_set_id, entry.version_id))
    except NotFoundError:
        return False


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
        reading = replace(reading, target_properties=properties)
        return replace(reading, target=port.metadata(ask.image_set_id, revert.version_id))
    except NotFoundError:
        return reading


def _document_or_none(port: ImageSets, image_set_id: str, version_id: str) -> Document | None:
    """The document of an older version; None where there is none, or none that can be used."""
    try:
        return port.metadata(image_set_id, version_id)
    except (NotFoundError, RejectedError, UnreadableError):
        return None


def _with_document(found: Diff, member: Observed | None, rules: Rules) -> Diff:
    """A diff that was cut short because its record is valid, made whole for its study."""
    reading = found.reading
    if reading.document is not None or reading.unread is not None or member is None:
        return found
    whole = replace(
        reading,
        document=member.document,
        unread=member.unread,
        good_version=member.good_version,
    )
    return diff(found.ask, whole, rules)


def _studies(port: ImageSets, diffs: Sequence[Diff], known: Known) -> tuple[Study, ...]:
    observed = {
        found.image_set_id: Observed(
            found.reading.properties,
            found.reading.document,
            found.reading.origin,
            found.reading.unread,
            found.reading.good_version,
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
    """All primaries of a study. Search finds them, GetImageSet confirms (decision 0002, U14)."""
    asked = {
        image_set_id
        for image_set_id, one in observed.items()
        if one.properties.is_primary is not False
        and one.document is not None
        and study_instance_uid(one.document) == uid
    }
    unread = None
    try:
        rows = {row.image_set_id: row.is_primary for row in port.search(members_filters(uid))}
    except NotFoundError:
        raise
    except ServiceError as error:
        rows, unread = {}, _unread(error)
    members = _side_by_side(
        lambda one: _member(
            port, uid, Properties(one, "", "", is_primary=rows.get(one)), observed.get(one), known
        ),
        sorted(asked | rows.keys()),
    )
    return Study(
        uid,
        tuple(member for member in members if member is not None),
        () if unread else tuple(sorted(asked - rows.keys())),
        unread,
    )


def _member(
    port: ImageSets, uid: str, row: Properties, observed: Observed | None, known: Known
) -> Observed | None:
    """One primary of a study; None where search found one that is not, or not any more."""
    if observed is None and row.is_primary is False:
        return None
    seen = observed or Observed(row, None)
    try:
        if observed is None:
            seen = Observed(port.get(row.image_set_id), None)
        properties = seen.properties
        is_primary = row.is_primary if properties.is_primary is None else properties.is_primary
        if is_primary is False or properties.state == "DELETED":
            return None
        if properties.state != "ACTIVE" or seen.unread is not None:
            return seen
        if is_primary is None:
            return replace(seen, unread=Unread(NOT_SAID, UNKNOWN_HINT))
        if seen.document is None:
            seen = _observed(port, properties, known)
    except NotFoundError:
        return None
    except ServiceError as error:
        return replace(seen, unread=_unread(error))
    # One that is not of the documented shape may be of any study: `build` refuses it.
    if seen.document is None or misshapen(seen.document):
        return seen
    return seen if study_instance_uid(seen.document) == uid else None


def _side_by_side(work: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
    """Reads next to each other, results in the order of the items; the first error is raised."""
    pool = ThreadPoolExecutor(WORKERS)
    try:
        return list(pool.map(work, items))
    finally:
        # After an error or Ctrl-C nobody waits for the others: a call that hangs takes minutes.
        pool.shutdown(wait=False, cancel_futures=True)
