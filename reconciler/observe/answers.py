"""Answers needs: makes no call twice in one plan, and keeps documents only while they are used."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection
from concurrent.futures import Future
from itertools import islice
from threading import Lock

from reconciler.core.errors import NotFoundError, ServiceError, about_one
from reconciler.core.model.observed import Properties
from reconciler.core.model.value import Document
from reconciler.core.plan import MOST_ROWS, members_filters, patient_filters
from reconciler.core.ports import ImageSets
from reconciler.core.survey.needs import (
    Answer,
    DocumentOf,
    MembersOf,
    Need,
    PatientOf,
    PropertiesOf,
    Refusal,
    VersionsOf,
    Why,
)
from reconciler.observe.recorded import Recorded


class Answers:
    """The answers of a data store for one plan. Safe to share between threads.

    Two surveys with the same need at the same time share one call. `recorded` answers what a full
    scan has shown already.
    """

    def __init__(self, port: ImageSets, recorded: Recorded | None = None) -> None:
        self._port = port
        self._recorded = recorded
        self._lock = Lock()
        self._given: dict[Need, Answer | _Packed] = {}
        self._awaited: dict[Need, Future[Answer]] = {}
        self._documents: set[str] = set()

    def to(self, need: Need) -> Answer:
        """Answer a need. Raises a ServiceError that concerns the whole data store."""
        with self._lock:
            given = self._given.get(need)
            awaited = self._awaited.get(need)
            if given is None and awaited is None:
                self._awaited[need] = Future()
        if given is not None:
            return given.document() if isinstance(given, _Packed) else given
        return awaited.result() if awaited is not None else self._call(need)

    def given(self, need: Need) -> Answer | None:
        """Return the answer to a need if it is held, else None. Makes no call."""
        with self._lock:
            held = self._given.get(need)
        return held.document() if isinstance(held, _Packed) else held

    def _call(self, need: Need) -> Answer:
        try:
            known = self._recorded.to(need) if self._recorded is not None else None
            answer = read(self._port, need) if known is None else known
        except BaseException as error:
            with self._lock:
                awaited = self._awaited.pop(need)
            awaited.set_exception(error)
            raise
        with self._lock:
            self._given[need] = answer
            awaited = self._awaited.pop(need)
            if isinstance(need, DocumentOf) and _was_sent(answer):
                self._documents.add(need.image_set_id)
        awaited.set_result(answer)
        return answer

    def retiered(self) -> tuple[str, ...]:
        """The image sets that GetImageSet stated as archived before their document was read."""
        with self._lock:
            return tuple(
                name
                for name in sorted(self._documents)
                if isinstance(seen := self._given.get(PropertiesOf(name)), Properties)
                and seen.is_archived
            )

    def release(self, used: Collection[Need], kept: Collection[Need] = ()) -> None:
        """Drop the documents that a survey has used; compress `kept`, which may be needed again."""
        for need in used:
            with self._lock:
                given = self._given.get(need)
                if need not in kept and isinstance(given, Document | _Packed):
                    del self._given[need]
            if need in kept and isinstance(given, Document):
                packed = _Packed(given)
                with self._lock:
                    self._given[need] = packed


class _Packed:
    """A compressed document, in about a hundredth of the memory: it is rarely needed again."""

    def __init__(self, document: Document) -> None:
        self._text = zlib.compress(json.dumps(document.raw).encode(), level=1)

    def document(self) -> Document:
        return Document(json.loads(zlib.decompress(self._text)))


def _was_sent(answer: Answer) -> bool:
    """Whether the service sent a document, also one that cannot be used."""
    return not isinstance(answer, Refusal) or answer.why is Why.UNREADABLE


def read(port: ImageSets, need: Need) -> Answer:
    """Make the call for a need. An error that concerns one image set becomes a Refusal."""
    try:
        match need:
            case PropertiesOf(name, version_id):
                return port.get(name, version_id or None)
            case DocumentOf(name, version_id):
                return port.metadata(name, version_id)
            case VersionsOf(name):
                return port.versions(name)
            case MembersOf(uid):
                return tuple(port.search(members_filters(uid)))
            case PatientOf(patient_id):
                return tuple(islice(port.search(patient_filters(patient_id)), MOST_ROWS + 1))
    except ServiceError as error:
        # A search without matches returns an empty list, so a 404 concerns the data store.
        searches = isinstance(need, MembersOf | PatientOf)
        lacks_store = searches and isinstance(error, NotFoundError)
        if lacks_store or not about_one(error):
            raise
        return Refusal.of(error)
