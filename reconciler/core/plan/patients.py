"""What SearchImageSets shows of a new PatientID: whether another patient may have it already.

A search is evidence and never proof (decision 0002): an ID that it does not list may be in use. So
the plan says what was not proven, and a search that fails counts as if another patient had the ID.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.dicom.canonical import canonical, same
from reconciler.core.dicom.content import live_key, section_at, section_of
from reconciler.core.dicom.identity import PATIENT_BIRTH_DATE, PATIENT_ID, PATIENT_NAME
from reconciler.core.model.address import PATIENT
from reconciler.core.model.change import Change, Note
from reconciler.core.model.observed import Summary, Unread
from reconciler.core.model.value import Document, Json, Value

# A PatientID such as ANONYMOUS may be in use a hundred thousand times, 50 of them on a page.
MOST_ROWS = 1_000
_ID, _NAME = "DICOMPatientId", "DICOMPatientName"
_BIRTH_DATE = "DICOMPatientBirthDate"
# (0010,0020) has at most 64 characters; the service's model takes 512 in a filter.
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class PatientRows:
    """What SearchImageSets lists with one PatientID, at most MOST_ROWS + 1 rows.

    `unread` is the reason why it did not answer.
    """

    rows: tuple[Summary, ...] = field(default=(), repr=False)
    unread: Unread | None = None


@dataclass(frozen=True, slots=True)
class Unproven:
    """Why a new PatientID may be that of another patient.

    `is_hazard` is false if search lists nothing that speaks for it.
    """

    note: Note
    is_hazard: bool


def patient_id(value: Value | None) -> str:
    """Return a PatientID without padding, "" for an empty value."""
    form = canonical("LO", value.raw) if value is not None else None
    return "" if form is None else str(form)


def patient_id_of(document: Document) -> str:
    """Return the PatientID of a document without padding, "" if it has none."""
    section = section_at(document, PATIENT) or {}
    key = live_key(section, PATIENT_ID)
    return patient_id(Value(section_of(section, "DICOM")[key])) if key else ""


def new_patient_id(change: Change) -> str:
    """Return the PatientID that a change sets, without padding; "" if it sets none."""
    return patient_id(change.after) if change.tag == PATIENT_ID else ""


def patient_filters(patient_id: str) -> tuple[tuple[str, str], ...]:
    """The SearchImageSets filter for the image sets of a patient."""
    return ((_ID, patient_id),)


def searchable_ids(changes: Iterable[Change]) -> tuple[str, ...]:
    """The new PatientIDs that SearchImageSets can be asked for, each once, sorted."""
    found = {new_patient_id(change) for change in changes} - {""}
    return tuple(sorted(one for one in found if len(one) <= _LONGEST))


def unproven(
    changes: Iterable[Change],
    documents: Mapping[str, Document],
    patients: Mapping[str, PatientRows],
) -> Iterator[Unproven]:
    """What is not proven of the new PatientIDs of an action, by image set.

    `documents` are those of its image sets: names and birth dates are compared as they are after
    the changes.
    """
    by_image_set: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_image_set[change.image_set_id].append(change)
    for name, own in by_image_set.items():
        changed = next((one for one in own if new_patient_id(one)), None)
        if changed is None or name not in documents:
            continue
        rows = patients.get(new_patient_id(changed), _NOT_SEARCHED)
        if why := _why(changed, _After(documents[name], own), rows):
            message, is_hazard = why
            yield Unproven(Note(name, message, changed.place), is_hazard)


_NOT_SEARCHED = PatientRows(unread=Unread("SearchImageSets does not take this ID", ""))
_TOO_MANY = (
    f"more than {MOST_ROWS:,} image sets have the new PatientID, so not all of them were compared"
)
_NOT_LISTED = (
    "SearchImageSets lists no other image set with the new PatientID. This is no proof that no "
    "other patient has it"
)


def _why(change: Change, after: _After, found: PatientRows) -> tuple[str, bool] | None:
    """What is not proven of a new PatientID, and whether it is a hazard; None if search agrees."""
    if found.unread is not None:
        unknown = "it is unknown whether another patient has the new PatientID"
        return f"{unknown}: {found.unread.message}", True
    others = [
        row
        for row in found.rows
        if row.image_set_id != change.image_set_id and _has(row, new_patient_id(change))
    ]
    if differing := sorted(row.image_set_id for row in others if after.differs(row)):
        return _in_use(differing), True
    if len(found.rows) > MOST_ROWS:
        return _TOO_MANY, True
    return None if others else (_NOT_LISTED, False)


def _in_use(image_set_ids: Sequence[str]) -> str:
    more = len(image_set_ids) - 1
    rest = f" and {more:,} more" if more else ""
    return (
        "the new PatientID is in use with another name or birth date, in image set "
        f"{image_set_ids[0]}{rest}"
    )


def _has(row: Summary, patient_id: str) -> bool:
    """Whether a row is of this ID. A row that states none was found by it."""
    stated = dict(row.tags).get(_ID, "")
    return not stated.strip() or same("LO", stated, patient_id)


class _After:
    """The patient of an image set as it is after the changes."""

    def __init__(self, document: Document, changes: Iterable[Change]) -> None:
        self._section = section_at(document, PATIENT) or {}
        self._changes = {change.tag: change for change in changes}

    def differs(self, row: Summary) -> bool:
        """Whether a row is of another name or birth date. An empty value never differs."""
        tags = dict(row.tags)
        name, born = self._value(PATIENT_NAME), self._value(PATIENT_BIRTH_DATE)
        return _differ("PN", name, tags.get(_NAME)) or _differ(
            "DA", _digits(born), _digits(tags.get(_BIRTH_DATE))
        )

    def _value(self, tag: int) -> Json:
        if change := self._changes.get(tag):
            return change.after.raw if change.after else None
        key = live_key(self._section, tag)
        return section_of(self._section, "DICOM")[key] if key else None


def _differ(vr: str, one: Json, other: Json) -> bool:
    return not (same(vr, one, None) or same(vr, other, None) or same(vr, one, other))


def _digits(date: Json) -> Json:
    """A date without its separators: the form of a search result is not documented."""
    return "".join(filter(str.isdigit, date)) if isinstance(date, str) else date
