"""The part of a document that SearchImageSets sees: its search columns and its DICOMTags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from reconciler.emulator.rules.documents import Document, instance_uids, series_of


@dataclass(frozen=True, slots=True, repr=False)
class IndexEntry:
    """A row of the search index. Texts have no padding; "" stands for empty."""

    patient_id: str
    accession_number: str
    study_id: str
    study_uid: str
    study_datetime: str
    series_uids: tuple[str, ...]
    tags: bytes


def index_entry(document: Document) -> IndexEntry:
    """The entry of a document."""
    patient, study = document["Patient"]["DICOM"], document["Study"]["DICOM"]
    date = _text(study.get("StudyDate"))
    return IndexEntry(
        _text(patient.get("PatientID")),
        _text(study.get("AccessionNumber")),
        _text(study.get("StudyID")),
        _text(study.get("StudyInstanceUID")),
        date + study_time(_text(study.get("StudyTime"))) if date else "",
        tuple(series_of(document)),
        orjson.dumps(_tags(document, patient, study)),
    )


def study_time(text: str) -> str:
    """A TM in a form that sorts by time: `0830` and `08:30:00` become `083000`."""
    whole, _, fraction = text.replace(":", "").partition(".")
    return whole.ljust(6, "0") + (f".{fraction}" if fraction else "")


def _tags(document: Document, patient: Document, study: Document) -> dict[str, Any]:
    series_uid = next(iter(series_of(document)), None)
    series = series_of(document)[series_uid].get("DICOM", {}) if series_uid is not None else {}
    return {
        "DICOMPatientId": _string(patient.get("PatientID")),
        "DICOMPatientName": _string(patient.get("PatientName")),
        "DICOMPatientBirthDate": _string(patient.get("PatientBirthDate")),
        "DICOMPatientSex": _string(patient.get("PatientSex")),
        "DICOMStudyInstanceUID": _string(study.get("StudyInstanceUID")),
        "DICOMStudyId": _string(study.get("StudyID")),
        "DICOMStudyDescription": _string(study.get("StudyDescription")),
        "DICOMNumberOfStudyRelatedSeries": len(series_of(document)),
        "DICOMNumberOfStudyRelatedInstances": len(instance_uids(document)),
        "DICOMAccessionNumber": _string(study.get("AccessionNumber")),
        "DICOMSeriesInstanceUID": series_uid,
        "DICOMSeriesModality": _string(series.get("Modality")),
        "DICOMSeriesBodyPart": _string(series.get("BodyPartExamined")),
        "DICOMSeriesNumber": _integer(series.get("SeriesNumber")),
        "DICOMStudyDate": _string(study.get("StudyDate")),
        "DICOMStudyTime": _string(study.get("StudyTime")),
    }


def _text(value: Any) -> str:
    return value.strip(" \0") if isinstance(value, str) else ""


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    try:
        number = int(value)
    except (TypeError, ValueError):
        return None
    return number if -(2**31) <= number < 2**31 else None
