"""An in-memory image-set port: versions, pins, LOCKED, study-wide updates, and faults on demand.

It shares no code with the code under test. The contract suite requires the same answers from it and
from the emulator, so that a test that passes here would pass over HTTP.
"""

from __future__ import annotations

import copy
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.core.errors import ConflictError, NotFoundError, RejectedError
from reconciler.core.model.observed import Properties, SearchPage, Summary
from reconciler.core.model.plan import Step
from reconciler.core.model.search_filter import Filters, Span
from reconciler.core.model.value import Document
from reconciler.core.ports import PacedImageSets, Patience

PAGE = 50
EPOCH = 1_700_000_000.0
NOT_THE_LATEST = "Requested version(s) of ImageSet(s) is not the latest."


class FakeClock:
    """Time that passes only when a thread sleeps; threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        with self._lock:
            return self._now

    def utc(self) -> float:
        return EPOCH + self.now()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._now += seconds
            self.slept.append(seconds)


def never() -> bool:
    """What does not happen."""
    return False


@dataclass(frozen=True)
class StopWhen:
    """`reconciler.core.ports.Stop`: asked to stop, and to stop at once, from a moment on."""

    asked: Callable[[], bool] = never
    asked_again: Callable[[], bool] = never

    def requested(self) -> bool:
        """Whether nothing new is to be sent."""
        return self.asked()

    def abandoned(self) -> bool:
        """Whether to stop at once, without waiting for updates in flight."""
        return self.asked_again()


@dataclass(frozen=True)
class Patient:
    """`reconciler.core.ports.Patience` that ends at a given moment, on a clock."""

    clock: FakeClock
    ends: Callable[[], bool] = never

    def is_over(self) -> bool:
        """Whether waiting any longer is pointless."""
        return self.ends()

    def wait(self, seconds: float) -> None:
        """A part of the wait; the caller asks again."""
        self.clock.sleep(min(seconds, 0.2))


@dataclass
class _Version:
    number: int
    document: dict[str, Any]
    state: str
    status: str
    message: str
    updated_at: float
    # LOCKED until then; afterwards `state`, `status` and `message` hold.
    rests_at: float = 0.0
    busy_status: str = "UPDATING"


@dataclass
class _ImageSet:
    image_set_id: str
    is_primary: bool | None
    versions: list[_Version] = field(default_factory=list)

    @property
    def latest(self) -> _Version:
        return self.versions[-1]


@dataclass
class _Fault:
    operation: str
    image_set_id: str
    when: str
    act: Callable[[], None]
    times: int


class FakeImageSets(PacedImageSets):
    """`reconciler.core.ports.PacedImageSets` in memory. `calls` keeps (operation, image set)."""

    def __init__(
        self,
        clock: FakeClock | None = None,
        *,
        datastore_id: str = "0" * 32,
        update_seconds: float = 2.0,
        missing: bool = False,
    ) -> None:
        self.clock = clock or FakeClock()
        self.datastore_id = datastore_id
        self.update_seconds = update_seconds
        self.missing = missing
        self.calls: list[tuple[str, str]] = []
        self.sent: list[Step] = []
        # The updates that took effect: the call, and the version that it made of each image set.
        self.landed: list[tuple[Step, dict[str, str]]] = []
        # How many versions SearchImageSets is behind (AWS does not document that it is consistent).
        self.search_lag = 0
        # Image sets that SearchImageSets does not know of yet.
        self.search_misses: set[str] = set()
        self._sets: dict[str, _ImageSet] = {}
        self._faults: list[_Fault] = []
        self._failures: list[str] = []
        self._lock = threading.RLock()

    # --- the stage ---------------------------------------------------------------------------

    def put(self, document: dict[str, Any], *, primary: bool | None = False) -> str:
        """Add an image set at version 1; its ID is the ImageSetID of the document.

        `primary` None: the service does not state it, and the image set is not primary.
        """
        image_set = _ImageSet(document["ImageSetID"], primary)
        image_set.versions.append(
            _Version(1, copy.deepcopy(document), "ACTIVE", "CREATED", "", self._stamp())
        )
        self._sets[image_set.image_set_id] = image_set
        return image_set.image_set_id

    def times(self, image_set_id: str, version_id: str) -> tuple[float | None, float | None]:
        """`updatedAt` of a version and `createdAt`, seen from outside; None where there is none."""
        versions = self._sets[image_set_id].versions if image_set_id in self._sets else []
        found = (one.updated_at for one in versions if str(one.number) == version_id)
        return next(found, None), versions[0].updated_at if versions else None

    def is_primary(self, image_set_id: str) -> bool | None:
        """Whether it is a primary image set, seen from outside; None where it is not stated."""
        return self._sets[image_set_id].is_primary

    def foreign(self, image_set_id: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Write a version as another process would, complete at once."""
        with self._lock:
            image_set = self._sets[image_set_id]
            document = copy.deepcopy(image_set.latest.document)
            change(document)
            self._append(image_set, document, "UPDATED", "", 0.0)

    def rewrite(
        self,
        image_set_id: str,
        change: Callable[[dict[str, Any]], object],
        status: str = "UPDATED",
        message: str = "",
    ) -> None:
        """Change the latest version itself, as another process would; no version is made."""
        with self._lock:
            latest = self._sets[image_set_id].latest
            change(latest.document)
            latest.status, latest.message = status, message
            latest.updated_at += 1.0

    def foreign_update(
        self, image_set_id: str, updates: dict[str, Any], *, study_wide: bool = False
    ) -> None:
        """Update as another process would, complete at once.

        If the service refuses it, nothing happens.
        """
        with self._lock:
            image_set = self._sets[image_set_id]
            step = Step(
                self.datastore_id, image_set_id, str(image_set.latest.number), (),
                updatable=json.dumps(updates), study_wide=study_wide,
            )  # fmt: skip
            try:
                moved = self._moved_by(step)
            except ConflictError:
                return
            documents, problem = self._after(step, moved)
            assert not problem, problem
            for one in moved:
                self._append(one, documents[one.image_set_id], "UPDATED", "", 0.0)

    def lock(self, image_set_id: str, seconds: float) -> None:
        """Copy it, as another process would: LOCKED, and the version stays."""
        with self._lock:
            latest = self._sets[image_set_id].latest
            latest.rests_at = self.clock.now() + seconds
            latest.busy_status = "COPYING_WITH_READ_ONLY_ACCESS"

    def mark_deleted(self, image_set_id: str) -> None:
        """DeleteImageSet: for a while the image set is still shown, as DELETED."""
        with self._lock:
            latest = self._sets[image_set_id].latest
            latest.state = latest.status = "DELETED"

    def delete(self, image_set_id: str) -> None:
        """Remove the image set completely."""
        with self._lock:
            del self._sets[image_set_id]

    def document(self, image_set_id: str, version_id: str = "") -> dict[str, Any]:
        """The content, without a call that is counted."""
        return copy.deepcopy(self._version(image_set_id, version_id or None).document)

    def status(self, image_set_id: str, version_id: str) -> str:
        """How a version ended, without a call."""
        return self._version(image_set_id, version_id).status

    def history(self, image_set_id: str, after: int = 0) -> list[tuple[int, str, dict[str, Any]]]:
        """Number, end and content of the versions above this one. No call is counted."""
        rows = self._sets[image_set_id].versions[after:]
        return [(one.number, one.status, copy.deepcopy(one.document)) for one in rows]

    def calm(self) -> None:
        """Remove all faults, and let time pass until nothing is LOCKED."""
        self._faults.clear()
        self._failures.clear()
        self.search_lag = 0
        self.search_misses.clear()
        rests = [one.latest.rests_at for one in self._sets.values()]
        self.clock.sleep(max(0.0, max(rests) - self.clock.now()) + 1.0)

    def version(self, image_set_id: str) -> str:
        """The latest version, without a call."""
        return str(self._sets[image_set_id].latest.number)

    def inject(
        self,
        operation: str,
        act: Callable[[], None],
        *,
        image_set_id: str = "",
        when: str = "before",
        times: int = 1,
    ) -> None:
        """Do something before or after the effect of calls: raise, or write as another process."""
        self._faults.append(_Fault(operation, image_set_id, when, act, times))

    def fail(
        self, operation: str, error: Exception, *, when: str = "before", times: int = 1
    ) -> None:
        """Raise, before or after the effect."""

        def act() -> None:
            raise error

        self.inject(operation, act, when=when, times=times)

    def fail_update(self, message: str) -> None:
        """The next accepted update ends in UPDATE_FAILED."""
        self._failures.append(message)

    # --- the port ----------------------------------------------------------------------------

    def turn(self, patience: Patience) -> bool:
        """Unlimited."""
        return not patience.is_over()

    def counts(self) -> dict[str, int]:
        """Calls so far by operation."""
        with self._lock:
            return dict(Counter(operation for operation, _ in self.calls))

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        """GetImageSet."""
        with self._call("GetImageSet", image_set_id):
            image_set = self._image_set(image_set_id)
            return self._properties(image_set, self._version(image_set_id, version_id))

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        """GetImageSetMetadata."""
        with self._call("GetImageSetMetadata", image_set_id):
            return Document(copy.deepcopy(self._version(image_set_id, version_id).document))

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        """ListImageSetVersions."""
        with self._call("ListImageSetVersions", image_set_id):
            image_set = self._image_set(image_set_id)
            return tuple(self._properties(image_set, one) for one in image_set.versions)

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        """SearchImageSets."""
        return _Pages(self, filters)

    def _found(self, filters: Filters) -> list[Summary]:
        if self.missing:
            raise NotFoundError("cannot see the data store", code="ResourceNotFoundException")
        listed = [name for name in self._sets if name not in self.search_misses]
        rows = [self._summary(self._sets[name]) for name in listed]
        return [row for row in rows if all(_fits(row, *one) for one in filters)]

    def update(self, step: Step) -> str:
        """UpdateImageSetMetadata."""
        with self._call("UpdateImageSetMetadata", step.image_set_id):
            self.sent.append(step)
            moved = self._moved_by(step)
            documents, problem = self._after(step, moved)
            if self._failures:
                problem = self._failures.pop(0)
            for image_set in moved:
                latest = image_set.latest.document
                document = copy.deepcopy(latest) if problem else documents[image_set.image_set_id]
                status = "UPDATE_FAILED" if problem else "UPDATED"
                busy = (
                    "UPDATING"
                    if image_set.image_set_id == step.image_set_id
                    else "UPDATING_FOR_STUDY_CONSISTENCY"
                )
                self._append(image_set, document, status, problem, self.update_seconds, busy)
            self.landed.append((step, {one.image_set_id: str(one.latest.number) for one in moved}))
            return str(self._sets[step.image_set_id].latest.number)

    # --- inside ------------------------------------------------------------------------------

    def _call(self, operation: str, image_set_id: str) -> _Call:
        return _Call(self, operation, image_set_id)

    def _moved_by(self, step: Step) -> list[_ImageSet]:
        image_set = self._image_set(step.image_set_id)
        moved = [image_set]
        if step.study_wide:
            if step.revert_to is not None:
                raise RejectedError("not with revertToVersionId", code="ValidationException")
            study = _study(image_set.latest)
            moved = [
                one
                for one in self._sets.values()
                if one.is_primary and one.latest.state == "ACTIVE" and _study(one.latest) == study
            ]
        if any(self._is_busy(one.latest) for one in moved):
            raise ConflictError("an image set is LOCKED", code="ConflictException")
        if str(image_set.latest.number) != step.pin:
            raise NotFoundError(NOT_THE_LATEST, code="ResourceNotFoundException")
        if (step.revert_to is None) == (step.updatable is None and step.removable is None):
            raise RejectedError("either updates or a revert", code="ValidationException")
        return moved

    def _after(self, step: Step, moved: list[_ImageSet]) -> tuple[dict[str, dict[str, Any]], str]:
        documents = {}
        for image_set in moved:
            document = copy.deepcopy(image_set.latest.document)
            try:
                if step.revert_to is not None:
                    document = copy.deepcopy(
                        self._version(step.image_set_id, step.revert_to).document
                    )
                for text, merge in ((step.updatable, _update), (step.removable, _remove)):
                    if text is not None:
                        merge(document, json.loads(text))
            except _ImpossibleError as error:
                return {}, str(error)
            documents[image_set.image_set_id] = document
        return documents, ""

    def _append(
        self,
        image_set: _ImageSet,
        document: dict[str, Any],
        status: str,
        message: str,
        seconds: float,
        busy_status: str = "UPDATING",
    ) -> None:
        number = image_set.latest.number + 1
        rests_at = self.clock.now() + seconds
        image_set.versions.append(
            _Version(
                number, document, "ACTIVE", status, message, self._stamp(), rests_at, busy_status
            )
        )

    def _is_busy(self, version: _Version) -> bool:
        return self.clock.now() < version.rests_at

    def _image_set(self, image_set_id: str) -> _ImageSet:
        if self.missing or image_set_id not in self._sets:
            raise NotFoundError("no such image set", code="ResourceNotFoundException")
        return self._sets[image_set_id]

    def _version(self, image_set_id: str, version_id: str | None) -> _Version:
        image_set = self._image_set(image_set_id)
        if version_id is None:
            return image_set.latest
        for version in image_set.versions:
            if str(version.number) == version_id:
                return version
        raise NotFoundError("no such version", code="ResourceNotFoundException")

    def _properties(self, image_set: _ImageSet, version: _Version) -> Properties:
        busy = self._is_busy(version)
        return Properties(
            image_set_id=image_set.image_set_id,
            version_id=str(version.number),
            state="LOCKED" if busy else version.state,
            workflow_status=version.busy_status if busy else version.status,
            is_primary=image_set.is_primary,
            message="" if busy else version.message,
            updated_at=version.updated_at,
            created_at=image_set.versions[0].updated_at,
        )

    def _summary(self, image_set: _ImageSet) -> Summary:
        latest = image_set.versions[max(0, len(image_set.versions) - 1 - self.search_lag)]
        patient = latest.document["Patient"]["DICOM"]
        tags = {
            "DICOMPatientId": patient.get("PatientID"),
            "DICOMPatientName": patient.get("PatientName"),
            "DICOMPatientBirthDate": patient.get("PatientBirthDate"),
            "DICOMStudyInstanceUID": _study(latest),
            "DICOMSeriesInstanceUID": next(iter(latest.document["Study"]["Series"]), None),
            "DICOMNumberOfStudyRelatedSeries": str(self._series_of_study(_study(latest))),
        }
        present = tuple(sorted((name, value) for name, value in tags.items() if value))
        return Summary(
            image_set.image_set_id,
            str(latest.number),
            image_set.is_primary,
            latest.updated_at,
            present,
            image_set.versions[0].updated_at,
        )

    def _series_of_study(self, study: str) -> int:
        """The number of series in all image sets of a study, also those that search misses."""
        documents = [one.latest.document for one in self._sets.values()]
        return len(
            {
                uid
                for document in documents
                if document["Study"]["DICOM"].get("StudyInstanceUID") == study
                for uid in document["Study"]["Series"]
            }
        )

    def _stamp(self) -> float:
        return round(EPOCH + self.clock.now(), 3)


class _Call:
    """Counts a call, lets the faults act, and serialises: one call at a time."""

    def __init__(self, fake: FakeImageSets, operation: str, image_set_id: str) -> None:
        self._fake, self._operation, self._image_set_id = fake, operation, image_set_id

    def __enter__(self) -> None:
        self._fake._lock.acquire()
        try:
            self._fake.calls.append((self._operation, self._image_set_id))
            self._act("before")
        except BaseException:
            self._fake._lock.release()
            raise

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if error is None:
                self._act("after")
        finally:
            self._fake._lock.release()

    def _act(self, when: str) -> None:
        for fault in self._fake._faults:
            mine = fault.operation == self._operation and fault.when == when
            if mine and fault.times and fault.image_set_id in ("", self._image_set_id):
                fault.times -= 1
                fault.act()
                return


class _Pages(Iterator[SearchPage]):
    """All pages have the rows of the moment of the first call."""

    def __init__(self, fake: FakeImageSets, filters: Filters) -> None:
        self._fake, self._filters = fake, filters
        self._left: list[Summary] | None = None
        self._is_over = False

    def __next__(self) -> SearchPage:
        if self._is_over:
            raise StopIteration
        with self._fake._call("SearchImageSets", ""):
            left = self._fake._found(self._filters) if self._left is None else self._left
            rows, self._left = tuple(left[:PAGE]), left[PAGE:]
            self._is_over = not self._left
            date = float(int(self._fake._stamp()))
        return SearchPage(rows, date, self._is_over)


class _ImpossibleError(Exception):
    """What ends in UPDATE_FAILED."""


def _fits(row: Summary, name: str, value: str | bool | Span) -> bool:
    if isinstance(value, bool):
        return row.is_primary is value
    if not isinstance(value, Span):
        return dict(row.tags).get(name) == value
    moment = {"createdAt": row.created_at, "updatedAt": row.updated_at}[name]
    return moment is not None and float(value.lower) <= moment <= float(value.upper)


def _study(version: _Version) -> str:
    return str(version.document["Study"]["DICOM"]["StudyInstanceUID"])


def _update(document: dict[str, Any], updates: dict[str, Any]) -> None:
    document["Patient"]["DICOM"].update(updates.get("Patient", {}).get("DICOM", {}))
    study = updates.get("Study", {})
    document["Study"]["DICOM"].update(study.get("DICOM", {}))
    for series_uid, series in study.get("Series", {}).items():
        live_series = _at(document["Study"]["Series"], series_uid)
        for uid, instance in series.get("Instances", {}).items():
            live = _at(live_series["Instances"], uid)
            live.setdefault("DICOMVRs", {}).update(instance.get("DICOMVRs", {}))
            live["DICOM"].update(instance.get("DICOM", {}))
            _rekey(live_series["Instances"], uid, instance.get("DICOM", {}), "SOPInstanceUID")
        live_series["DICOM"].update(series.get("DICOM", {}))
        _rekey(document["Study"]["Series"], series_uid, series.get("DICOM", {}), _SERIES_UID)


_SERIES_UID = "SeriesInstanceUID"


def _rekey(blocks: dict[str, Any], key: str, dicom: dict[str, Any], name: str) -> None:
    if name in dicom and dicom[name] != key:
        blocks[dicom[name]] = blocks.pop(key)


def _remove(document: dict[str, Any], removals: dict[str, Any]) -> None:
    _remove_attributes(document["Patient"], removals.get("Patient", {}))
    study = removals.get("Study", {})
    _remove_attributes(document["Study"], study)
    for series_uid, series in study.get("Series", {}).items():
        live_series = _at(document["Study"]["Series"], series_uid)
        if not series:
            del document["Study"]["Series"][series_uid]
            continue
        _remove_attributes(live_series, series)
        for uid, instance in series.get("Instances", {}).items():
            live = _at(live_series["Instances"], uid)
            if instance:
                _remove_attributes(live, instance)
            else:
                del live_series["Instances"][uid]


def _remove_attributes(live: dict[str, Any], block: dict[str, Any]) -> None:
    for key, value in block.get("DICOM", {}).items():
        if key not in live["DICOM"] or live["DICOM"][key] != value:
            raise _ImpossibleError("Attribute key and value must match the existing attribute")
        del live["DICOM"][key]
        live.get("DICOMVRs", {}).pop(key, None)


def _at(blocks: dict[str, Any], key: str) -> dict[str, Any]:
    if key not in blocks:
        raise _ImpossibleError("No such series or instance")
    found: dict[str, Any] = blocks[key]
    return found
