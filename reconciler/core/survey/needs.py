"""The needs of a survey, each a call of the service, and the answers that it receives."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias, TypeVar

from reconciler.core.errors import (
    AccessDeniedError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServiceError,
    UnreadableError,
)
from reconciler.core.model.observed import Properties, Summary, Unread
from reconciler.core.model.value import Document

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PropertiesOf:
    """GetImageSet, of the latest version by default.

    `again` asks for a new call after a document could not be read: the image set may have changed,
    so the first answer must not be used.
    """

    image_set_id: str
    version_id: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class DocumentOf:
    """GetImageSetMetadata at a version."""

    image_set_id: str
    version_id: str


@dataclass(frozen=True, slots=True)
class VersionsOf:
    """ListImageSetVersions."""

    image_set_id: str


@dataclass(frozen=True, slots=True)
class MembersOf:
    """SearchImageSets for the image sets of a study."""

    study_instance_uid: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PatientOf:
    """SearchImageSets for the image sets with a PatientID; at most MOST_ROWS + 1 rows."""

    patient_id: str = field(repr=False)


class Why(StrEnum):
    """Why the service did not answer a need."""

    NOT_FOUND = "not found"
    DENIED = "access denied"
    LOCKED = "locked"
    REJECTED = "rejected"
    UNREADABLE = "unreadable"
    NO_ANSWER = "no answer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a need whose call failed for one image set only.

    `message` is our own text for an answer that cannot be used. It never contains the service's
    text, which may hold DICOM values: a plan is stored.
    """

    why: Why
    operation: str
    code: str = ""
    message: str = ""

    @classmethod
    def of(cls, error: ServiceError) -> Refusal:
        """Convert the error of a call (see `errors.about_one`)."""
        why = next((why for kind, why in _WHY.items() if isinstance(error, kind)), Why.OTHER)
        message = error.message if why is Why.UNREADABLE else ""
        return cls(why, error.operation, error.code, message)

    @property
    def unread(self) -> Unread:
        """The message for the plan, and what to do next."""
        call = f"{self.operation} ({self.code})" if self.code else self.operation
        match self.why:
            case Why.DENIED:
                hint = "Check that the caller's IAM policies allow this call for this image set."
                return Unread(f"the credentials have no permission for {call}", hint)
            case Why.UNREADABLE:
                return Unread(self.message, AGAIN)
            case Why.NO_ANSWER:
                return Unread(f"the service did not answer {call}", AGAIN)
            case _:
                return Unread(f"the service rejects {call}", AGAIN)


AGAIN = "Run `reconcile plan` again. If it fails again, ask AWS support about this image set."
_WHY: dict[type[ServiceError], Why] = {
    NotFoundError: Why.NOT_FOUND,
    AccessDeniedError: Why.DENIED,
    ConflictError: Why.LOCKED,
    RejectedError: Why.REJECTED,
    UnreadableError: Why.UNREADABLE,
    NoAnswerError: Why.NO_ANSWER,
}

Need: TypeAlias = PropertiesOf | DocumentOf | VersionsOf | MembersOf | PatientOf
Answer: TypeAlias = Properties | Document | tuple[Properties, ...] | tuple[Summary, ...] | Refusal


@dataclass(frozen=True, slots=True)
class Together:
    """Needs that do not depend on each other. The answer is a tuple in the same order."""

    needs: tuple[Need, ...]


# `None` starts a generator. A survey that yields no `Together` is sent single answers only.
Survey: TypeAlias = Generator[Need | Together, Answer | tuple[Answer, ...] | None, T]


def properties_of(
    image_set_id: str, version_id: str = "", *, again: bool = False
) -> Survey[Properties | Refusal]:
    """Ask for the properties of an image set."""
    answer = yield PropertiesOf(image_set_id, version_id, again)
    assert isinstance(answer, Properties | Refusal)
    return answer


def document_of(image_set_id: str, version_id: str) -> Survey[Document | Refusal]:
    """Ask for a document."""
    answer = yield DocumentOf(image_set_id, version_id)
    assert isinstance(answer, Document | Refusal)
    return answer


def versions_of(image_set_id: str) -> Survey[tuple[Properties, ...] | Refusal]:
    """Ask for the versions of an image set."""
    answer = yield VersionsOf(image_set_id)
    if isinstance(answer, Refusal):
        return answer
    assert isinstance(answer, tuple)
    return tuple(row for row in answer if isinstance(row, Properties))


def members_of(study_instance_uid: str) -> Survey[tuple[Summary, ...] | Refusal]:
    """Ask for the search results of a study."""
    return (yield from _rows(MembersOf(study_instance_uid)))


def rows_of_patient(patient_id: str) -> Survey[tuple[Summary, ...] | Refusal]:
    """Ask for the search results of a PatientID."""
    return (yield from _rows(PatientOf(patient_id)))


def _rows(need: MembersOf | PatientOf) -> Survey[tuple[Summary, ...] | Refusal]:
    answer = yield need
    if isinstance(answer, Refusal):
        return answer
    assert isinstance(answer, tuple)
    return tuple(row for row in answer if isinstance(row, Summary))


def together(surveys: Sequence[Survey[T]]) -> Survey[tuple[T, ...]]:
    """Run several surveys together: their needs are asked for at the same time."""
    results: dict[int, T] = {}
    answers: dict[int, Answer | None] = dict.fromkeys(range(len(surveys)))
    while answers:
        needs: dict[int, Need] = {}
        for index, answer in answers.items():
            try:
                need = surveys[index].send(answer)
            except StopIteration as done:
                results[index] = done.value
                continue
            assert not isinstance(need, Together)
            needs[index] = need
        answers = {}
        if needs:
            got = yield Together(tuple(needs.values()))
            assert isinstance(got, tuple)
            answers = dict(zip(needs, got, strict=True))  # type: ignore[arg-type]
    return tuple(results[index] for index in range(len(surveys)))
